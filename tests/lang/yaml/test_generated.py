"""Generated programs have a YAML form that says the same; no text makes the reader raise."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.diagnostics.renderers.text import Text
from qflow.lang import syntax, yaml
from qflow.lang.program import Program, program_of
from qflow.lang.yaml import composer
from tests.lang import programs
from tests.lang.yaml import said

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def unique(items: tuple, name: str) -> tuple:
    """The first of each name: what stands twice is no program."""
    return tuple({getattr(i, name): i for i in reversed(items)}.values())


def sound(program: Program) -> Program:
    """The program without what stands twice."""

    def fields(node: syntax.Node) -> syntax.Node:
        return replace(node, fields=unique(node.fields, "name"))

    def rule(node: syntax.Rule) -> syntax.Rule:
        plain = isinstance(node, syntax.ApplyRule) or isinstance(node.action, syntax.FloatAction)
        return node if plain else replace(node, action=fields(node.action))

    def rules(node: syntax.Quantize | syntax.RuleSet) -> syntax.Node:
        return replace(node, rules=tuple(map(rule, node.rules)))

    def stage(node: syntax.Stage) -> syntax.Stage:
        named = {s.name: s for s in node.statements if isinstance(s, syntax.Field)}
        kept = (s for s in node.statements if not isinstance(s, syntax.Field) or named[s.name] is s)
        return replace(node, statements=tuple(kept))

    blocks = ("models", "targets", "data", "qconfigs", "sensitivities", "exports")
    return replace(
        program,
        params=unique(program.params, "name"),
        uses=unique(program.uses, "alias"),
        rule_sets=unique(tuple(map(rules, program.rule_sets)), "name"),
        quantizes=tuple(map(rules, program.quantizes[:1])),
        graphs=program.graphs[:1],
        checks=program.checks[:1],
        schedules=tuple(
            replace(s, stages=tuple(map(stage, s.stages))) for s in program.schedules[:1]
        ),
        sweeps=unique(tuple(map(fields, program.sweeps)), "name"),
        **{b: unique(tuple(map(fields, getattr(program, b))), "name") for b in blocks},
    )


@quick
@given(programs.files)
def test_every_program_has_a_yaml_form(file: syntax.File) -> None:
    program = sound(program_of(file))
    text = yaml.show(program)
    parsed = yaml.parse(text, "p.yaml")
    assert parsed.diagnostics == ()
    assert said(program_of(parsed.file)) == said(program)
    assert yaml.show(program_of(parsed.file)) == text


WHOLE = """\
qflow: 1
use: {a: a.qf}
params: {p: {type: int, value: 3, in: 0..4}, q: 1}
model: {m: {entry: 'a:b', input: {x: 'float32[N, 3]'}}}
graph: [{wrap: f}, {leaf: {type: a.B, in: "x.**"}, except: y}, {fuse: conv + bn, in: y}]
rule_sets: {r: [{apply: s}]}
quantize: [{default: {float: true}}, {match: [x, {op: add}], optional: true, patch: {act.dtype: int8}}]
schedule: [{stage: s, data: d, set: {lr: 1e-3}, do: [{state: qat, of: "**", from_epoch: 2}]}]
check: [{assert: f(x) >= 0.5, data: d}]
export: {onnx: {path: x.onnx, opset: 21}}
sweep: {s: {zip: true, p: [1, 2]}}
"""


def test_the_undamaged_yaml_parses() -> None:
    assert yaml.parse(WHOLE, "p.yaml").diagnostics == ()


@settings(quick, max_examples=100)
@given(st.data())
def test_damaged_yaml_never_raises(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE)))
    length = data.draw(st.integers(0, 12))
    new = data.draw(
        st.sampled_from(
            ["", "{", "}", "[", "]", '"', "#", "\n", ":", "- ", "*", "&a ", "!!x ", "'", "é", "${a}",
             "on", "010", "null", "<<", "---\n", "\t", "|", ">", "%", "@", "`", "😀"]
        )
    )  # fmt: skip
    examine(WHOLE[:at] + new + WHOLE[at + length :])


@quick
@given(st.text(max_size=200))
def test_random_text_never_raises(text: str) -> None:
    examine(text)
    examine(f"qflow: 1\n{text}")
    examine(f"qflow: 1\nquantize:\n- {text}")


@pytest.mark.parametrize("in_c", [True, False], ids=["C", "Python"])
def test_both_parsers_read_the_same(in_c: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml as pyyaml

    text = '# é 😀\nqflow: 1\nmodel: {é: 1}  # 😀\nparams: {"😀": "a\\nb", c: on}\n'
    first = yaml.parse(text, "p.yaml")
    if not in_c:
        monkeypatch.delattr(pyyaml, "CSafeLoader", raising=False)
    assert yaml.parse(text, "p.yaml") == first
    assert [(d.at.line, d.at.column) for d in first.diagnostics] == [
        (3, 9),
        (3, 12),
        (4, 10),
        (4, 26),
    ]
    assert composer.compose(text, "p.yaml")[0] is not None


def test_a_large_file_is_read_and_a_small_one_cannot_grow() -> None:
    rules = "".join(f'  - {{match: "a.b{i}", patch: {{act.dtype: int8}}}}\n' for i in range(3000))
    assert len(yaml.parse(f"qflow: 1\nquantize:\n{rules}", "p.yaml").file.items[0].rules) == 3000
    levels = "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
    )
    bomb = yaml.parse(f"qflow: 1\na: &a [x, x, x]\n{levels}", "p.yaml")
    assert [d.code for d in bomb.diagnostics] == ["QF143"]
    deep = yaml.parse("qflow: 1\nmodel: " + "[" * 5000, "p.yaml")
    assert [d.code for d in deep.diagnostics] == ["QF143"]


def examine(text: str) -> None:
    """Reading gives a tree or located errors that a renderer can print."""
    parsed = yaml.parse(text, "p.yaml")
    assert (parsed.file is None) == bool(parsed.diagnostics)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for found in parsed.diagnostics:
        assert found.at is not None
        assert 1 <= found.at.line <= len(lines)
        assert 1 <= found.at.column <= len(lines[found.at.line - 1]) + 1
        assert found.code.startswith("QF1")
    assert bool(Text().render(parsed.diagnostics, {"p.yaml": text})) == bool(parsed.diagnostics)
