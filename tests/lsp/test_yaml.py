"""A program in YAML in an editor: the same answers as for the same program in .qf."""

from pathlib import Path

import pytest

from qflow.lang.yaml.convert import convert
from qflow.lsp.analysis import Analysis, analyse, is_program, reread
from qflow.lsp.completion import completion
from qflow.lsp.definition import definition
from qflow.lsp.hover import hover
from qflow.lsp.rename import Refused, applied, rename
from qflow.lsp.text import Text

PIPELINES = Path(__file__).parents[2] / "pipelines"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits pipeline in YAML, with its lock."""
    folder = tmp_path_factory.mktemp("yaml")
    text, _ = convert((PIPELINES / "digits.qf").read_text(encoding="utf-8"), "digits.qf")
    path = folder / "digits.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "digits.yaml.lock").write_bytes((PIPELINES / "digits.qf.lock").read_bytes())
    return path


@pytest.fixture(scope="module")
def known(path: Path) -> Analysis:
    return analyse(path, 1, Text(path.read_text(encoding="utf-8")), {}, None)


def place(known: Analysis, before: str, after: str) -> tuple[int, int]:
    """Between two texts that stand next to each other once."""
    text = known.text.normal
    assert text.count(before + after) == 1
    head = text[: text.index(before + after) + len(before)]
    return head.count("\n") + 1, len(head) - head.rfind("\n")


def line_of(known: Analysis, text: str) -> int:
    return next(n for n, line in enumerate(known.text.normal.split("\n"), 1) if text in line)


def test_definitions_are_keys(known: Analysis) -> None:
    for before, after, defined in (
        ("use: st", "em}", "  stem:"),
        ("data: cal", "ib", "  calib:"),
        ("epochs: rou", "nds", "  rounds: {"),
        ("    act.dtype: a", "ct\n", "  act: {type"),
        ("output.log", "its is", "output: {logits"),
    ):
        found = definition(known, *place(known, before, after))
        assert found is not None, before
        assert found.line == line_of(known, defined), before
    built_in = definition(known, *place(known, "base: w8", "a8"))
    assert built_in is not None
    assert built_in.path.endswith("conf/qconfig/w8a8.yaml")


def test_hover_says_why(known: Analysis) -> None:
    found = hover(known, *place(known, 'match: "stem', ".**"))
    assert found is not None
    assert "act.observer" in found[0]
    # lines are those of the YAML
    assert f'{line_of(known, "match: ")} | - {{match: "stem.**", use: stem}}' in found[0]
    named = hover(known, *place(known, "use: st", "em}"))
    assert named is not None
    assert "qconfig stem {" in named[0]


def test_while_it_is_broken_the_last_plan_answers(known: Analysis) -> None:
    text = known.text.normal.replace("  - {match:", "  - {mtach:")
    broken = reread(known, 2, Text(text))
    (found,) = broken.diagnostics
    assert (found.code, found.at and found.at.line) == ("QF141", line_of(known, "{match:"))
    said = hover(broken, *place(broken, '"stem', ".**"))
    assert said is not None
    assert "as the last version without mistakes had it" in said[0]
    # the JSON schema completes
    assert completion(broken, *place(broken, "use: st", "em}")) == ()


def test_a_param_is_renamed(known: Analysis) -> None:
    text = known.text.normal
    (edits,) = rename(known, *place(known, "  a", "ct: {type"), "bits").values()
    after = text.replace("  act: {type", "  bits: {type").replace(
        "act.dtype: act", "act.dtype: bits"
    )
    assert applied(text, edits) == after
    claim = r'{warn: "cosine(output.logits) >= \u0072ounds", data: val}'
    escaped = text.replace('{warn: "cosine(output.logits) >= 0.99", data: val}', claim)
    with pytest.raises(Refused, match="only a person"):
        rename(reread(known, 2, Text(escaped)), *place(known, "  roun", "ds: {"), "epochs")


def test_other_yaml_is_left_alone(path: Path, known: Analysis) -> None:
    for text in ("on: push\njobs: {}\n", "defaults: [a]\nqflow: 1\n", "", "# qflow: 1\n", "\0{"):
        assert not is_program(text, "x.yaml")
        assert analyse(path, 2, Text(text), {}, known).diagnostics == ()
        assert reread(known, 2, Text(text)).diagnostics == ()
    assert is_program('"qflow" : 1\n', "x.yml")
    assert is_program("anything", "x.qf")
