"""colour: which inputs of the finished model take a camera's colours: `colour` of the target block.

colour = {image: {operator: centered_yuv2rgb, swing: full, mean: [128.0], std: [128.0]}}
"""

from collections.abc import Iterator

from qflow.compile.unit import Unit
from qflow.compile.values import DICT, WORD, Reader, any_of, describe, outside, unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.plan.colour import OPERATORS, SWINGS, ColourPlan
from qflow.plan.plan import PortPlan

_EXAMPLE = "{operator: centered_yuv2rgb, swing: full, mean: [128.0], std: [128.0]}"


def read(fields: Reader) -> tuple[ColourPlan, ...]:
    """The conversions of the target block, without those in which something is missing or wrong."""
    given = fields.optional("colour", DICT)
    if given is None:
        return ()
    found = []
    for (name, value), span in zip(given.entries, given.key_spans, strict=True):
        if not isinstance(value, syntax.Dict):
            message = f"`colour` of `{name}` is a conversion in braces, not {describe(value)}"
            at = value.span
            fields.add(Diagnostic("QF113", message, at=at, help=f"write `{name}: {_EXAMPLE}`"))
            continue
        plan, problems = _conversion(name, value, span)
        for problem in problems:
            fields.add(problem)
        found += [] if plan is None or problems else [plan]
    return tuple(found)


def _conversion(
    name: str, value: syntax.Dict, at: Span
) -> tuple[ColourPlan | None, tuple[Diagnostic, ...]]:
    own = Reader(
        f"`colour` of `{name}`",
        at,
        [
            syntax.Field(key, v, span=v.span, name_span=s)
            for (key, v), s in zip(value.entries, value.key_spans, strict=True)
        ],
    )
    operator = own.required("operator", WORD, "centered_yuv2rgb")
    swing = own.required("swing", WORD, "full")
    mean, std = _numbers(own, "mean"), _numbers(own, "std")
    if operator is not None and operator not in OPERATORS:
        own.add(unknown("colour operator", operator, OPERATORS, own.span("operator")))
    if swing is not None and swing not in SWINGS:
        own.add(Diagnostic("QF111", f"`swing` must be {any_of(SWINGS)}", at=own.span("swing")))
    if std is not None and any(s <= 0 for s in std):
        own.add(Diagnostic("QF111", "`std` must be above 0", at=own.span("std")))
    problems = own.findings()
    if operator is None or swing is None or mean is None or std is None:
        return None, problems
    return ColourPlan(name, operator, swing, mean, std), problems


def _numbers(fields: Reader, name: str) -> tuple[float, ...] | None:
    """One number, or a list of one or three."""
    value = fields.value(name)
    if value is None:
        fields.required(name, WORD, "[128.0]")
        return None
    items = value.items if isinstance(value, syntax.List) else (value,)
    numbers = tuple(float(i.value) for i in items if isinstance(i, syntax.Number))
    if len(numbers) != len(items) or len(numbers) not in (1, 3):
        fields.add(outside(name, "one number or three, in the order of the channels", value))
        return None
    return numbers


def place(unit: Unit) -> Unit:
    """QF110 for an input there is not, QF292 for one that no colour operator can stand behind."""
    if unit.inventory is None or unit.target is None or unit.model is None:
        return unit
    ports = {p.name: p for p in unit.model.inputs}
    at = dict(unit.target.fields).get("colour", unit.target.at)
    found: list[Diagnostic] = []
    for colour in unit.target.colour:
        if colour.input not in ports:
            where = at or unit.program.span
            found.append(unknown("input of the model", colour.input, ports, where))
            continue
        for why, help_ in _obstacles(unit, ports[colour.input]):
            message = f"no colour operator can stand behind `{colour.input}`: {why}"
            found.append(Diagnostic("QF292", message, at=at, help=help_))
    return unit.having(found)


def _obstacles(unit: Unit, port: PortPlan) -> Iterator[tuple[str, str]]:
    assert unit.inventory is not None
    modules, users = unit.inventory.by_address, unit.inventory.users
    if port.dtype != "float32" or len(port.dims) != 4 or port.dims[1] != 3:
        dims = ", ".join(map(str, port.dims))
        yield f"it is {port.dtype}[{dims}]", "an image is float32[N, 3, H, W]"
        return
    readers = users.get(port.name, ())
    if [modules[r].op for r in readers] != ["quant"]:
        listed = ", ".join(f"`{r}`" for r in readers) or "nothing"
        yield f"it is read by {listed}", "let one QuantStub alone read it"
    elif modules[readers[0]].calls > 1:
        yield f"`{readers[0]}` runs several times", "give each input a QuantStub of its own"
