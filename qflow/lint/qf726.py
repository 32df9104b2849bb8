"""QF726 (P26): a function read from a table, whose input reaches where it has no value."""

from collections.abc import Iterator
from math import pi

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._graph import named, source
from qflow.plan.inventory import Inventory, Module
from qflow.plan.subject import Subject
from qflow.records import dataclass

POLES = ("reciprocal", "rsqrt", "log", "log2", "log10", "hardlog", "div", "true_divide")
PERIODIC = ("sin", "cos")
KEEPS_AWAY = (
    *("clamp", "clamp_min", "clip", "hardtanh", "exp", "sigmoid", "hardsigmoid", "softplus"),
    *("relu6", "maximum", "softmax"),
)
"""What in front of a function keeps its input in a range."""


@dataclass(frozen=True)
class Qf726:
    """Large errors of reciprocal, rsqrt, log, sin or cos.

    Why: the accelerator reads them from a table over the input's range. Near a pole a few entries
    stand for values that differ by orders; sine and cosine over many periods have no room.

    How to mend: clamp the input away from the pole, choose dividing points by curvature, reduce an
    angle to one period.

    Anti-pattern:

        y = torch.rsqrt(variance)

    Best practice:

        y = torch.rsqrt(variance.clamp(min=1e-2))
    """

    period: float = pi
    """Largest magnitude of an angle."""

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.inventory is None:
            return
        for module in subject.region:
            operand = _operand(subject.inventory, module)
            if operand is None or named(operand, *KEEPS_AWAY):
                continue
            scale = subject.scale_of.get(subject.at_run(operand.address))
            span = scale.span if scale else None
            if named(module, *POLES) and (span is None or span[0] <= 0 <= span[1]):
                what = "is not kept away from 0" if span is None else f"was {_shown(span)}"
                yield _finding(subject, module, operand, what, "clamp it away from 0")
            elif named(module, *PERIODIC) and span and max(map(abs, span)) > self.period:
                what = f"was {_shown(span)}, more than a period"
                yield _finding(subject, module, operand, what, "reduce it to one period")


def _operand(inventory: Inventory, module: Module) -> Module | None:
    """What the function reads; of a division the divisor."""
    sources = inventory.sources[module.address]
    if named(module, "div", "true_divide"):
        return inventory.by_address[sources[1]] if len(sources) > 1 else None
    return source(inventory, module)


def _finding(subject: Subject, module: Module, operand: Module, what: str, help: str) -> Diagnostic:
    text = f"`{module.address}` ({module.type}) reads `{operand.address}`, which {what}"
    return warning("QF726", text, subject.at, help)


def _shown(span: tuple[float, float]) -> str:
    return f"between {span[0]:.4g} and {span[1]:.4g}"
