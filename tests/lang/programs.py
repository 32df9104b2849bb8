"""Hypothesis strategies for syntax trees: any program the language can write."""

from hypothesis import strategies as st

from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.lang.split import ITEM_WORDS

NOWHERE = Span("p.qf", 1, 1, 1, 1)
KEYWORDS = (
    *ITEM_WORDS, "qflow", "as", "in", "wrap", "leaf", "fuse", "default", "match", "optional",
    "expect", "apply", "with", "patch", "float", "except", "type", "op", "stage", "on", "epochs",
    "state", "calibration", "qat", "validation", "freeze", "bn", "scale", "weight", "from",
    "epoch", "scales", "assert", "warn", "is", "no", "zip", "true", "false",
)  # fmt: skip

words = st.one_of(
    st.sampled_from(KEYWORDS), st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
)
names = st.lists(words, min_size=1, max_size=3).map(".".join)
texts = st.text(
    st.one_of(st.characters(exclude_categories=("Cc", "Cs")), st.sampled_from('\n\t"\\#{}[]')),
    max_size=20,
)


def without(*excluded: str) -> st.SearchStrategy[str]:
    return names.filter(lambda name: name.split(".")[0] not in excluded)


integers = st.integers(-(10**17), 10**17).map(lambda n: syntax.Number(n, str(n), span=NOWHERE))
floats = st.floats(allow_nan=False, allow_infinity=False).map(
    lambda x: syntax.Number(x, repr(x), span=NOWHERE)
)
numbers = st.one_of(integers, floats)
strings = st.builds(syntax.String, texts, span=st.just(NOWHERE))
name_values = st.builds(syntax.Name, names, span=st.just(NOWHERE))
tensors = st.builds(
    syntax.TensorType,
    words,
    st.lists(st.one_of(st.integers(0, 10**6), words), min_size=1, max_size=4).map(tuple),
    span=st.just(NOWHERE),
)
values: st.SearchStrategy[syntax.Value] = st.recursive(
    st.one_of(strings, numbers, name_values, tensors),
    lambda inner: st.one_of(
        st.builds(syntax.List, st.lists(inner, max_size=4).map(tuple), span=st.just(NOWHERE)),
        st.builds(
            syntax.Dict,
            st.lists(st.tuples(words, inner), max_size=4).map(tuple),
            span=st.just(NOWHERE),
        ),
    ),
    max_leaves=6,
)


def fields(name: st.SearchStrategy[str] = names) -> st.SearchStrategy[syntax.Field]:
    return st.builds(syntax.Field, name, values, name_span=st.just(NOWHERE), span=st.just(NOWHERE))


def several(strategy: st.SearchStrategy, least: int = 0, most: int = 3) -> st.SearchStrategy:
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def node(kind: type, *parts: st.SearchStrategy, **named: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(kind, *parts, **named, span=st.just(NOWHERE))


maybe_text = st.none() | texts
bodies = several(fields())
arguments = st.one_of(strings, numbers, name_values, node(syntax.Keyword, words, values))


def calls(*excluded: str) -> st.SearchStrategy[syntax.Call]:
    function = words.filter(lambda word: word not in excluded)
    return node(syntax.Call, function, several(arguments, least=1))


atoms = st.one_of(
    node(syntax.ByName, texts),
    node(syntax.ByType, names, maybe_text),
    node(syntax.ByOp, names, maybe_text),
    calls("type", "op"),
)
selectors = node(syntax.Selector, several(atoms, least=1), several(atoms))
actions = st.one_of(
    node(syntax.UseAction, names, bodies),
    node(syntax.PatchAction, bodies),
    node(syntax.FloatAction),
    node(syntax.ScalesAction, st.one_of(strings, name_values), bodies),
)
quotas = st.one_of(
    st.just((False, None)), st.just((True, None)), st.integers(0, 99).map(lambda n: (False, n))
)
matches = st.builds(
    lambda selector, action, quota: syntax.MatchRule(selector, action, *quota, span=NOWHERE),
    selectors,
    actions,
    quotas,
)
rules = several(
    st.one_of(node(syntax.DefaultRule, actions), matches, node(syntax.ApplyRule, names))
)
states = st.sampled_from(["float", "calibration", "qat", "validation"])
stage_statements = st.one_of(
    node(syntax.SetState, selectors, states, st.none() | values),
    node(syntax.Freeze, st.sampled_from(["bn", "scale", "weight"]), selectors, st.none() | values),
    fields(without("state", "freeze")),
)
stages = node(syntax.Stage, words, words, st.none() | values, several(stage_statements))
subjects = st.one_of(calls("no"), node(syntax.Name, without("no")))
claims = st.one_of(
    node(syntax.IsClaim, subjects, names),
    node(
        syntax.CompareClaim,
        subjects,
        st.sampled_from([">=", "<=", "==", "!=", ">", "<"]),
        values,
        st.booleans(),
    ),
)
items = st.one_of(
    node(syntax.Use, texts, st.none() | words),
    node(
        syntax.Param,
        words,
        words,
        values,
        st.one_of(
            st.none(),
            node(syntax.Range, numbers, numbers),
            node(syntax.List, several(values)),
        ),
    ),
    node(
        syntax.Block,
        st.sampled_from(["model", "target", "data", "qconfig", "sensitivity", "export"]),
        names,
        st.none() | strings,
        bodies,
        name_span=st.just(NOWHERE),
    ),
    node(
        syntax.Graph,
        several(
            st.one_of(
                node(syntax.Wrap, texts),
                node(syntax.Leaf, selectors),
                node(syntax.Fuse, several(words, least=1), maybe_text),
            )
        ),
    ),
    node(syntax.RuleSet, words, rules),
    node(syntax.Quantize, rules),
    node(syntax.Schedule, several(stages)),
    node(
        syntax.Check,
        several(
            node(syntax.Assertion, st.sampled_from(["assert", "warn"]), claims, st.none() | words)
        ),
    ),
    node(syntax.Sweep, words, st.booleans(), bodies),
)
files = node(syntax.File, st.just(1), several(items, most=5))
