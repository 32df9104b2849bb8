"""graph: the `graph` block: what the trace keeps whole and which fusions the file insists on."""

from dataclasses import replace

from qflow.compile.model import is_entry
from qflow.compile.unit import Unit
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.lang.printer import show
from qflow.plan.fusion import ACTIVATIONS, GEMMS, PATTERNS
from qflow.plan.plan import GraphSpec, Leaf

_WORDS = (*GEMMS, "bn", "add", *ACTIVATIONS)


def read(unit: Unit) -> Unit:
    """Sets `graph` and `fuses`; a pattern nobody could fuse is QF110 or QF111."""
    wraps: list[tuple[str, Span]] = []
    leaves: list[str] = []
    types: list[str] = []
    parts: list[Leaf] = []
    fuses: list[syntax.Fuse] = []
    found: list[Diagnostic] = []
    for statement in (s for g in unit.program.graphs[:1] for s in g.statements):
        match statement:
            case syntax.Wrap(target=target):
                wraps.append((target, statement.span))
                if not is_entry(target):
                    found.append(_no_function(target, statement.span))
            case syntax.Leaf(selector=selector):
                refused = _not_for_leaves(selector)
                found += refused
                kept = None if refused else _leaf(selector)
                parts += [kept] if kept is not None and not _simple(kept) else []
                if kept is not None and _simple(kept):
                    leaves += [pattern for type_, pattern in kept.parts if not type_]
                    types += [type_ for type_, _ in kept.parts if type_]
            case syntax.Fuse():
                wrong = _pattern(statement)
                found += wrong
                fuses += [] if wrong else [statement]
    graph = GraphSpec(tuple(wraps), tuple(sorted(leaves)), tuple(sorted(types)), tuple(parts))
    return replace(unit, graph=graph, fuses=tuple(fuses)).having(found)


def _not_for_leaves(selector: syntax.Selector) -> list[Diagnostic]:
    """QF124: a trace must know its leaves before there is an operator or an edge."""
    found = []
    for atom in (*selector.atoms, *selector.excluded):
        if isinstance(atom, (syntax.ByOp, syntax.Call)):
            what = "an operator" if isinstance(atom, syntax.ByOp) else f"`{atom.function}`"
            found.append(
                Diagnostic(
                    "QF124",
                    f"`leaf` takes addresses and types, not {what}",
                    at=atom.span,
                    label="known only once the model is traced",
                    notes=("a leaf is a module that the trace does not enter",),
                    help=f"to leave it unquantized, write `match {show(atom)} float` in `quantize`",
                )
            )
    return found


def _leaf(selector: syntax.Selector) -> Leaf:
    return Leaf(_parts(selector.atoms), _parts(selector.excluded))


def _parts(atoms: tuple[syntax.Atom, ...]) -> tuple[tuple[str, str], ...]:
    """Type, empty for any, and pattern, `**` for any."""
    return tuple(
        ("", a.pattern) if isinstance(a, syntax.ByName) else (a.type, a.within or "**")
        for a in atoms
        if isinstance(a, (syntax.ByName, syntax.ByType))
    )


def _simple(leaf: Leaf) -> bool:
    """Whether addresses and types alone say it."""
    return not leaf.excluded and all(not t or p == "**" for t, p in leaf.parts)


def _no_function(target: str, at: Span) -> Diagnostic:
    return Diagnostic(
        "QF111",
        f"`wrap` takes a function, not `{target}`",
        at=at,
        help='write `wrap "package.module:function"`',
    )


def _pattern(fuse: syntax.Fuse) -> list[Diagnostic]:
    strange = [word for word in fuse.pattern if word not in _WORDS]
    if strange:
        return [unknown("fusion word", word, _WORDS, fuse.span) for word in strange]
    if fuse.pattern in PATTERNS:
        return []
    return [
        Diagnostic(
            "QF111",
            f"`{' + '.join(fuse.pattern)}` is no fusion",
            at=fuse.span,
            help="a fusion is conv or linear, then bn, then add, then relu or relu6;"
            " at least one of the last three",
        )
    ]
