"""graph: the `graph` block: what the trace keeps whole and which fusions the file insists on."""

from dataclasses import replace

from qflow.compile.model import is_entry
from qflow.compile.unit import Unit
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.plan.fusion import ACTIVATIONS, GEMMS, PATTERNS
from qflow.plan.plan import GraphSpec

_WORDS = (*GEMMS, "bn", "add", *ACTIVATIONS)


def read(unit: Unit) -> Unit:
    """Sets `graph` and `fuses`; a pattern nobody could fuse is QF110 or QF111."""
    wraps: list[tuple[str, Span]] = []
    leaves: list[str] = []
    types: list[str] = []
    fuses: list[syntax.Fuse] = []
    found: list[Diagnostic] = []
    for statement in (s for g in unit.program.graphs[:1] for s in g.statements):
        match statement:
            case syntax.Wrap(target=target):
                wraps.append((target, statement.span))
                if not is_entry(target):
                    found.append(_no_function(target, statement.span))
            case syntax.Leaf(selector=selector):
                leaves += [a.pattern for a in selector.atoms if isinstance(a, syntax.ByName)]
                types += [a.type for a in selector.atoms if isinstance(a, syntax.ByType)]
            case syntax.Fuse():
                wrong = _pattern(statement)
                found += wrong
                fuses += [] if wrong else [statement]
    graph = GraphSpec(tuple(wraps), tuple(sorted(leaves)), tuple(sorted(types)))
    return replace(unit, graph=graph, fuses=tuple(fuses)).having(found)


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
