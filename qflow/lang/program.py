"""Program: a file as meaning. What stood in order is grouped by kind; both front ends end here."""

from typing import TypeVar

from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.records import dataclass

T = TypeVar("T", bound=syntax.Item)


@dataclass(frozen=True)
class Program:
    path: str
    """As the user gave it, with forward slashes; names in the file are relative to its folder."""
    edition: int
    span: Span
    """The whole file: where something that is missing is reported."""
    uses: tuple[syntax.Use, ...] = ()
    params: tuple[syntax.Param, ...] = ()
    models: tuple[syntax.Block, ...] = ()
    targets: tuple[syntax.Block, ...] = ()
    data: tuple[syntax.Block, ...] = ()
    qconfigs: tuple[syntax.Block, ...] = ()
    sensitivities: tuple[syntax.Block, ...] = ()
    exports: tuple[syntax.Block, ...] = ()
    graphs: tuple[syntax.Graph, ...] = ()
    rule_sets: tuple[syntax.RuleSet, ...] = ()
    quantizes: tuple[syntax.Quantize, ...] = ()
    schedules: tuple[syntax.Schedule, ...] = ()
    checks: tuple[syntax.Check, ...] = ()
    sweeps: tuple[syntax.Sweep, ...] = ()
    offered: tuple[syntax.Block, ...] = ()
    """Blocks of imported files that nothing here uses: names without effect."""
    scopes: tuple[str, ...] = ()
    """What stands before the dot of imported names: `npu`, and `npu.base` for what npu imports."""
    parts: tuple[str, ...] = ()
    """Files the program itself is written in besides `path`, where several compose it."""
    imported: tuple[str, ...] = ()
    """Files whose names are among the above, relative to the folder of this one, sorted."""

    def is_own(self, span: Span) -> bool:
        """Whether something stands in the program itself, and not in a file it imports."""
        return span.path == self.path or span.path in self.parts

    @property
    def only_names(self) -> bool:
        """Whether the file is there for others: it plans nothing, and has a name to offer."""
        named = (
            *(self.params, self.models, self.targets, self.data, self.qconfigs),
            *(self.sensitivities, self.rule_sets),
        )
        plans = (self.quantizes, self.schedules, self.checks, self.exports, self.graphs)
        return any(named) and not any(plans)


def program_of(file: syntax.File) -> Program:
    """Group the items of a file; nothing is resolved, checked or lost."""

    def items(kind: type[T]) -> tuple[T, ...]:
        return tuple(item for item in file.items if isinstance(item, kind))

    def blocks(kind: syntax.BlockKind) -> tuple[syntax.Block, ...]:
        return tuple(block for block in items(syntax.Block) if block.kind == kind)

    return Program(
        path=file.span.path,
        edition=file.edition,
        span=file.span,
        uses=items(syntax.Use),
        params=items(syntax.Param),
        models=blocks("model"),
        targets=blocks("target"),
        data=blocks("data"),
        qconfigs=blocks("qconfig"),
        sensitivities=blocks("sensitivity"),
        exports=blocks("export"),
        graphs=items(syntax.Graph),
        rule_sets=items(syntax.RuleSet),
        quantizes=items(syntax.Quantize),
        schedules=items(syntax.Schedule),
        checks=items(syntax.Check),
        sweeps=items(syntax.Sweep),
    )
