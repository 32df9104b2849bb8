"""stages: `graph`, `schedule` and `check`: lists, because order carries the meaning."""

from typing import Any, get_args

from qflow import registry
from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.lang.yaml import fragments
from qflow.lang.yaml.keys import Findings, Keys
from qflow.lang.yaml.nodes import Mapping, Node, Scalar
from qflow.lang.yaml.selectors import selector
from qflow.lang.yaml.values import fields, name, text, value

STATES = get_args(syntax.StateName)
FROZEN = ("bn", "scale", "weight")


def graph(nodes: tuple[Node, ...], findings: Findings) -> tuple[Any, ...]:
    found = (_one(n, "a graph statement", ("wrap", "leaf", "fuse"), findings) for n in nodes)
    return tuple(s for keys in found if keys and (s := _graph_statement(keys, findings)))


def _one(
    node: Node, what: str, kinds: tuple[str, ...], findings: Findings
) -> tuple[str, Keys] | None:
    """The mapping and which of `kinds` it is; QF145 unless it is exactly one of them."""
    listed = ", ".join(f"`{k}`" for k in kinds)
    if not isinstance(node, Mapping):
        findings.wrong(node, f"{what} with one of {listed}")
        return None
    keys = Keys(node, what, findings)
    given = [kind for kind in kinds if keys.has(kind)]
    if len(given) == 1:
        return given[0], keys
    if given or not keys.misspelt(kinds):
        findings.wrong(node, f"{what} with one of {listed}")
    return None


def _graph_statement(
    found: tuple[str, Keys], findings: Findings
) -> syntax.Wrap | syntax.Leaf | syntax.Fuse | None:
    kind, keys = found
    if kind == "leaf":
        chosen = selector(keys, "leaf", findings)
        keys.done()
        return syntax.Leaf(chosen, span=keys.span)
    given = keys.scalar(kind, "conv + bn" if kind == "fuse" else '"package.module:function"')
    within = keys.scalar("in", '"head.**"') if kind == "fuse" else None
    keys.done()
    if given is None:
        return None
    if kind == "wrap":
        return syntax.Wrap(text(given, findings), span=keys.span)
    parts = fragments.pattern(given)
    if parts and not isinstance(parts[0], str):
        findings.add(*(d for d in parts if not isinstance(d, str)))
        return None
    inside = text(within, findings) if within else None
    return syntax.Fuse(tuple(str(p) for p in parts), inside, span=keys.span)


def schedule(nodes: tuple[Node, ...], findings: Findings) -> tuple[syntax.Stage, ...]:
    found = (_one(n, "a stage", ("stage",), findings) for n in nodes)
    return tuple(s for keys in found if keys and (s := _stage(keys[1], findings)))


def _stage(keys: Keys, findings: Findings) -> syntax.Stage | None:
    called = keys.scalar("stage", "calibrate", required=True)
    data = keys.scalar("data", "calib", required=True)
    epochs = keys.node("epochs")
    trained = keys.mapping("set")
    steps = keys.list("do")
    keys.done()
    if called is None or data is None:
        return None
    statements: list[syntax.StageStatement] = []
    statements += fields(trained, findings) if trained else ()
    for step in steps:
        statements += _step(step, findings)
    return syntax.Stage(
        name(called, findings, "the name of a stage", dotted=False),
        name(data, findings, "the name of a data block"),
        value(epochs, findings) if epochs is not None else None,
        tuple(statements),
        name_span=called.span,
        data_span=data.span,
        span=keys.span,
    )


def _step(node: Node, findings: Findings) -> tuple[syntax.StageStatement, ...]:
    found = _one(node, "a step", ("state", "freeze", "set"), findings)
    if found is None:
        return ()
    kind, keys = found
    if kind == "set":
        given = keys.mapping("set")
        keys.done()
        return fields(given, findings) if given else ()
    word = keys.scalar(kind, "qat" if kind == "state" else "bn")
    selected = selector(keys, "of", findings)
    epoch = keys.node("from_epoch")
    keys.done()
    if word is None:
        return ()
    since = value(epoch, findings) if epoch is not None else None
    chosen: Any = _among(word, STATES if kind == "state" else FROZEN, findings)
    if kind == "freeze":
        return (syntax.Freeze(chosen, selected, since, span=keys.span),)
    return (syntax.SetState(selected, chosen, since, state_span=word.span, span=keys.span),)


def _among(node: Scalar, words: tuple[str, ...], findings: Findings) -> str:
    if node.text in words:
        return node.text
    near = registry.nearest(node.text, words)
    listed = ", ".join(f"`{w}`" for w in words)
    findings.wrong(node, f"one of {listed}", f"did you mean `{near[0]}`?" if near else "")
    return words[0]


def check(nodes: tuple[Node, ...], findings: Findings) -> tuple[syntax.Assertion, ...]:
    found = (_one(n, "a claim", ("assert", "warn"), findings) for n in nodes)
    return tuple(a for keys in found if keys and (a := _assertion(keys, findings)))


def _assertion(found: tuple[str, Keys], findings: Findings) -> syntax.Assertion | None:
    severity, keys = found
    given = keys.scalar(severity, '"cosine(output.logits) >= 0.99"')
    data = keys.scalar("data", "val")
    keys.done()
    if given is None:
        return None
    claim = fragments.claim(given, severity)
    if isinstance(claim, list):
        findings.add(*claim)
        return None
    on: str | None = name(data, findings, "the name of a data block") if data else None
    at: Span | None = data.span if data else None
    kind: Any = severity
    return syntax.Assertion(kind, claim, on, data_span=at, span=keys.span)
