"""selectors: which modules: a pattern, `{type: ...}`, `{op: ...}`, `{call: ...}`, or a list."""

from qflow.lang import syntax
from qflow.lang.yaml import fragments
from qflow.lang.yaml.keys import Findings, Keys
from qflow.lang.yaml.nodes import Mapping, Node, Scalar, Sequence
from qflow.lang.yaml.values import name, text

HELP = 'write "backbone.**", {type: Conv2d}, {op: add}, {call: "outputs()"}, or a list of them'


def selector(keys: Keys, key: str, findings: Findings) -> syntax.Selector:
    """From the mapping that holds it: `key` selects, `except` beside it takes away."""
    given = keys.required(key, '"**"')
    left_out = keys.node("except")
    return syntax.Selector(
        _atoms(given, findings) if given is not None else (),
        _atoms(left_out, findings) if left_out is not None else (),
        span=given.span if given is not None else keys.span,
    )


def _atoms(node: Node, findings: Findings) -> tuple[syntax.Atom, ...]:
    if not isinstance(node, Sequence):
        atom = _atom(node, findings)
        return (atom,) if atom else ()
    if not node.items:
        findings.wrong(node, "at least one selector", HELP)
    return tuple(a for item in node.items if (a := _atom(item, findings)))


def _atom(node: Node, findings: Findings) -> syntax.Atom | None:
    if isinstance(node, Scalar):
        return syntax.ByName(text(node, findings), span=node.span)
    if isinstance(node, Sequence):
        findings.wrong(node, "a selector", HELP)
        return None
    keys = Keys(node, "a selector", findings)
    kinds = [kind for kind in ("type", "op", "call") if keys.has(kind)]
    if len(kinds) != 1:
        if kinds or not keys.misspelt(("type", "op", "call")):
            findings.wrong(node, "a selector with one of `type`, `op` and `call`", HELP)
        return None
    return _of_kind(kinds[0], keys, node, findings)


def _of_kind(kind: str, keys: Keys, node: Mapping, findings: Findings) -> syntax.Atom | None:
    given = keys.scalar(kind, "Conv2d" if kind == "type" else "add")
    if kind == "call":
        keys.done()
        found = fragments.call(given) if given else []
        if isinstance(found, syntax.Call):
            return found
        findings.add(*found)
        return None
    within = keys.scalar("in", '"head.**"')
    keys.done()
    if given is None:
        return None
    inside = text(within, findings) if within else None
    word = name(given, findings, f"the name of a{'n' if kind == 'op' else ''} {kind}")
    if kind == "type":
        return syntax.ByType(word, inside, span=node.span)
    return syntax.ByOp(word, inside, span=node.span)
