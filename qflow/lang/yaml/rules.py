"""rules: `quantize`, `rule_sets` and `order`: a list of one mapping per rule."""

from qflow.lang import syntax
from qflow.lang.yaml.keys import Findings, Keys
from qflow.lang.yaml.nodes import Mapping, Node, Scalar
from qflow.lang.yaml.scalars import INTEGER
from qflow.lang.yaml.selectors import selector
from qflow.lang.yaml.values import fields, name, value

HELP = "write {default: {use: w8a8}}, {match: ..., use: ...} or {apply: ...}"
ACTIONS = "one of `use`, `patch`, `float` and `scales_from`"


def rules(nodes: tuple[Node, ...], findings: Findings) -> tuple[syntax.Rule, ...]:
    return tuple(rule for node in nodes if (rule := _rule(node, findings)))


def _rule(node: Node, findings: Findings) -> syntax.Rule | None:
    if not isinstance(node, Mapping):
        findings.wrong(node, "a rule", HELP)
        return None
    keys = Keys(node, "a rule", findings)
    kinds = [kind for kind in ("default", "match", "apply") if keys.has(kind)]
    if len(kinds) != 1:
        if kinds or not keys.misspelt(("default", "match", "apply")):
            findings.wrong(node, "a rule with one of `default`, `match` and `apply`", HELP)
        return None
    if kinds == ["apply"]:
        given = keys.scalar("apply", "head")
        keys.done()
        return _apply(given, node, findings) if given else None
    if kinds == ["default"]:
        inner = keys.mapping("default")
        keys.done()
        action = _default_action(inner, findings) if inner else None
        return syntax.DefaultRule(action, span=node.span) if action else None
    return _match(keys, node, findings)


def _apply(given: Scalar, node: Node, findings: Findings) -> syntax.ApplyRule:
    word = name(given, findings, "the name of a rule set")
    return syntax.ApplyRule(word, rules_span=given.span, span=node.span)


def _default_action(node: Mapping, findings: Findings) -> syntax.Action | None:
    keys = Keys(node, "`default`", findings)
    action = _action(keys, node, findings)
    if action is not None:
        keys.done()
    return action


def _match(keys: Keys, node: Mapping, findings: Findings) -> syntax.MatchRule | None:
    selected = selector(keys, "match", findings)
    optional = keys.flag("optional")
    expect = _expect(keys, findings)
    if optional and expect is not None:
        findings.wrong(node, "one of `optional` and `expect`, not both,")
    action = _action(keys, node, findings)
    if action is None:
        return None
    keys.done()
    return syntax.MatchRule(selected, action, optional, expect, span=node.span)


def _expect(keys: Keys, findings: Findings) -> int | None:
    given = keys.scalar("expect", "2")
    if given is None:
        return None
    if given.quoted or not INTEGER.fullmatch(given.text) or len(given.text) > 18:
        findings.wrong(given, "a number of modules", "write `expect: 2`")
        return None
    return int(given.text)


def _action(keys: Keys, node: Mapping, findings: Findings) -> syntax.Action | None:
    """What becomes of the modules: exactly one action."""
    kinds = ("use", "patch", "float", "scales_from")
    given = [key for key in kinds if keys.has(key)]
    changes = keys.mapping("with")
    if not given and keys.misspelt(kinds):
        return None
    if len(given) != 1 or (changes is not None and given[0] not in ("use", "scales_from")):
        what = f"a rule with {ACTIONS}"
        findings.wrong(
            node, what, "write `use: w8a8`, `patch: {act.dtype: int16}` or `float: true`"
        )
        return None
    if given == ["use"]:
        return _use(keys, changes, findings)
    if given == ["scales_from"]:
        return _scales(keys, changes, findings)
    if given == ["patch"]:
        patch = keys.mapping("patch")
        if patch is None:
            return None
        return syntax.PatchAction(fields(patch, findings, qconfig=True), span=patch.span)
    if not keys.flag("float"):
        findings.wrong(node, "`float: true`")
    return syntax.FloatAction(span=keys.key_span("float"))


def _use(keys: Keys, changes: Mapping | None, findings: Findings) -> syntax.UseAction | None:
    given = keys.scalar("use", "w8a8")
    if given is None:
        return None
    return syntax.UseAction(
        name(given, findings, "the name of a qconfig"),
        fields(changes, findings, qconfig=True) if changes else (),
        qconfig_span=given.span,
        span=given.span,
    )


def _scales(keys: Keys, changes: Mapping | None, findings: Findings) -> syntax.ScalesAction | None:
    node = keys.scalar("scales_from", '"net.cali_table"')
    if node is None:
        return None
    source = value(node, findings)
    if not isinstance(source, (syntax.String, syntax.Name)):
        findings.wrong(node, "the path of a table", 'write `scales_from: "net.cali_table"`')
        return None
    given = fields(changes, findings) if changes else ()
    return syntax.ScalesAction(source, given, span=node.span)


def order(nodes: tuple[Node, ...], findings: Findings) -> tuple[syntax.Rule, ...]:
    """`order: [base, head]`: rule sets applied one after the other."""
    found: list[syntax.Rule] = []
    for node in nodes:
        if isinstance(node, Scalar):
            found.append(_apply(node, node, findings))
        else:
            findings.wrong(node, "the name of a rule set")
    return tuple(found)
