"""measured: what one side of a claim measures: `cosine(output.logits)`, `float.accuracy`."""

from importlib import import_module

from qflow import registry
from qflow.compile import facts
from qflow.compile.model import is_entry
from qflow.compile.unit import Unit
from qflow.compile.values import describe, unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.lang.printer import quoted
from qflow.records import dataclass

MEASURES = "analysis.measures"
SIMILARITY = "analysis.similarity"
METRIC = "metric"
PER_ADDRESS = ("integer", "fake_quant")
"""Lanes whose inner tensors are compared with float's; the first where a claim names none."""


@dataclass(frozen=True)
class Side:
    measure: str
    args: tuple[str, ...]
    per_address: bool = False
    """The first of `args` is a pattern: `measure` is a file of `analysis/similarity` then."""

    @property
    def text(self) -> str:
        """In canonical form."""
        first, *rest = self.args
        strange = self.per_address or (self.measure == METRIC and bool(rest))
        return f"{self.measure}({', '.join([quoted(first) if strange else first, *rest])})"


def side(node: syntax.Name | syntax.Call, data: str | None, unit: Unit) -> Side | Diagnostic:
    """A side with every word known. QF110, QF112, QF113 or QF115 for what is wrong with it."""
    found = _of_lane(node, unit) if isinstance(node, syntax.Name) else _of_call(node)
    if isinstance(found, Diagnostic):
        return found
    wrong = _wrong(found, node, data, unit)
    return wrong or found


def is_of_lane(name: str, unit: Unit) -> bool:
    """Whether a name is `LANE.MEASURE`."""
    lane = name.rpartition(".")[0]
    return bool(lane) and lane in import_module("qflow.analysis.lanes").words(unit)


def of_one_lane() -> tuple[str, ...]:
    """Measures that may be written behind a lane: `float.accuracy`."""
    every = facts.known(MEASURES)
    return tuple(m for m in every if registry.load(MEASURES, m).of_one_lane)


def _of_lane(name: syntax.Name, unit: Unit) -> Side | Diagnostic:
    lane, _, measure = name.value.rpartition(".")
    if measure not in of_one_lane():
        return unknown("measure of one lane", measure, of_one_lane(), name.span)
    return Side(measure, (lane,))


def _of_call(call: syntax.Call) -> Side | Diagnostic:
    measures, similar = facts.known(MEASURES), facts.known(SIMILARITY)
    first = call.args[0] if call.args else None
    pattern = isinstance(first, syntax.String) and call.function in similar
    if call.function not in measures and not pattern:
        found = unknown("measure", call.function, measures, call.span)
        if call.function not in similar:
            return found
        message = f"`{call.function}` compares the tensors of addresses, and needs a pattern"
        help_ = f'write `{call.function}("head.**")`'
        return Diagnostic("QF113", message, at=call.span, help=help_)
    args: list[str] = []
    for place, arg in enumerate(call.args):
        if isinstance(arg, syntax.Keyword):
            message = f"`{call.function}` has no `{arg.name}`"
            return Diagnostic("QF112", message, at=arg.span, help=_form(call.function, pattern))
        text_first = place == 0 and (pattern or call.function == METRIC)
        if isinstance(arg, syntax.Number) or (isinstance(arg, syntax.String) and not text_first):
            message = f"`{call.function}` takes words, not {describe(arg)}"
            return Diagnostic("QF113", message, at=arg.span, help=_form(call.function, pattern))
        args.append(arg.value)
    return Side(call.function, tuple(args), pattern)


def _form(function: str, pattern: bool) -> str:
    forms = registry.load(MEASURES, function).forms if not pattern else ""
    return f"it is written `{forms or function + '(PATTERN) or ' + function + '(PATTERN, LANE)'}`"


def _wrong(
    side: Side, node: syntax.Name | syntax.Call, data: str | None, unit: Unit
) -> Diagnostic | None:
    if data is None:
        return Diagnostic(
            "QF115",
            f"`{side.measure}` is measured, and the claim does not say on which data",
            at=node.span,
            help="write `on DATA` behind it",
        )
    if side.per_address:
        strange = [lane for lane in side.args[1:] if lane not in PER_ADDRESS]
        if strange:
            return unknown("lane with inner tensors", strange[0], PER_ADDRESS, node.span)
        if len(side.args) > 2:
            help_ = _form(side.measure, pattern=True)
            message = f"`{side.measure}` takes a pattern and a lane"
            return Diagnostic("QF113", message, at=node.span, help=help_)
        return None
    if unit.model is None:
        return None
    measure = registry.load(MEASURES, side.measure)
    sentences = measure(side.args).check(side.args, unit)
    if sentences:
        return Diagnostic("QF110", sentences[0], at=node.span)
    return _no_metric(side, node, data, unit) if side.measure == METRIC else None


def _no_metric(
    side: Side, node: syntax.Name | syntax.Call, data: str, unit: Unit
) -> Diagnostic | None:
    """`metric(LANE)` is that of the data block, which must have one."""
    if len(side.args) == 2:
        if is_entry(side.args[0]) or side.args[0] in facts.known("analysis.metrics"):
            return None
        return unknown("metric", side.args[0], facts.known("analysis.metrics"), node.span)
    spec = next((d for d in unit.data if d.name == data), None)
    if spec is None or spec.metric is not None:
        return None
    return Diagnostic(
        "QF115",
        f"data `{data}` has no metric",
        at=node.span,
        help='write `metric = accuracy` into it, or `metric("package.module:Class", integer)`',
    )
