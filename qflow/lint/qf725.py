"""QF725 (P25): a constant or an input so large that everything else falls on one step."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._script import Script
from qflow.plan.inventory import Module
from qflow.plan.subject import Subject
from qflow.records import dataclass

_JOINS = ("add", "sub", "cat", "concat", "stack", "where", "maximum", "minimum")
_MASKS = ("masked_fill", "masked_fill_", "full", "full_like")


@dataclass(frozen=True)
class Qf725:
    """Scales are huge, small values vanish, or the observer reports infinity.

    Why: a mask of minus infinity or -1e9, coordinates in pixels, or tensors of very different
    ranges in one concat or add make one grid, and its step is that of the largest.

    How to mend: a finite mask such as -100, normalized coordinates, a scale of its own (fixed, or
    int16) for the wide operand.

    Anti-pattern:

        scores = scores.masked_fill(mask, float("-inf"))

    Best practice:

        scores = scores.masked_fill(mask, -100.0)
    """

    largest: float = 1e4
    """Magnitude from which a constant is reported."""
    ratio: float = 100.0
    """Largest ratio between the scales that meet in one operator."""

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        inside = {m.address for m in subject.region}
        for constant in subject.constants or ():
            if constant.largest >= self.largest and constant.address in inside:
                yield warning(
                    "QF725",
                    f"`{constant.address}` reads {constant.name}, up to {constant.largest:g}",
                    subject.at,
                    "use a finite value close to the others, such as -100 for a mask",
                )
        for module in subject.region:
            yield from self._joined(subject, module)

    def _joined(self, subject: Subject, module: Module) -> Iterator[Diagnostic]:
        assert subject.inventory is not None
        if module.op not in _JOINS and module.type not in _JOINS:
            return
        scales = [
            (s.high, a)
            for a in dict.fromkeys(subject.inventory.sources[module.address])
            if (s := subject.scale_of.get(subject.at_run(a))) and s.observed
        ]
        if len(scales) < 2:
            return
        (low, narrow), *_, (high, wide) = sorted(scales)
        if high > low * self.ratio:
            yield warning(
                "QF725",
                f"`{wide}` and `{narrow}` meet at `{module.address}` with scales {high:.3g} and "
                f"{low:.3g}",
                subject.at,
                "normalize the wide one, or give it int16",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for owner in script.classes:
            for method in owner.reached():
                for call in script.calls(*_MASKS, inside=method):
                    values = [abs(v) for a in call.args for v in _numbers(a)]
                    if values and max(values) >= self.largest:
                        yield warning(
                            "QF725",
                            f"`{script.called(call)}` with {max(values):g} makes one huge step",
                            script.span(call),
                            "use a finite value close to the others, such as -100",
                        )


def _numbers(node: ast.expr) -> Iterator[float]:
    """Float constants of an argument: `-1e9`, `float("-inf")`, `-torch.inf`."""
    for part in ast.walk(node):
        value = getattr(part, "value", None)
        if isinstance(part, ast.Constant) and isinstance(value, float):
            yield value
        elif isinstance(part, ast.Constant) and str(value).strip("+-").lower() in (
            "inf",
            "infinity",
        ):
            yield float("inf")
        elif isinstance(part, ast.Attribute) and part.attr in ("inf", "min") and _is_limit(part):
            yield float("inf")


def _is_limit(node: ast.Attribute) -> bool:
    """`torch.inf`, `math.inf`, `torch.finfo(x.dtype).min`."""
    return node.attr == "inf" or "finfo" in ast.unparse(node.value)
