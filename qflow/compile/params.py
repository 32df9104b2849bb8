"""params: the value of every param, from the file or `--set`, checked against type and domain."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from qflow.compile.unit import Unit
from qflow.compile.values import describe, unknown
from qflow.diagnostics import Diagnostic, Label
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.plan.plan import Scalar


def resolve(unit: Unit) -> Unit:
    """Sets `params`. QF110 unknown param or type, QF111 outside its domain, QF113 of another type.

    A value of the file that is of another type halts: everything that uses it would be wrong too.
    """
    found: list[Diagnostic] = []
    names = [p.name for p in unit.program.params]
    for name in unit.settings:
        if name not in names:
            found.append(replace(unknown("param", name, names, unit.program.span), at=None))
    values: dict[str, Scalar] = {}
    halted = False
    for param in unit.program.params:
        written = _written(param)
        if isinstance(written, Diagnostic):
            found.append(written)
            halted = True
            continue
        value = _given(param, unit.settings.get(param.name), written)
        if isinstance(value, Diagnostic):
            found.append(value)
            value = written
        values[param.name] = value
    unit = replace(unit, params=tuple(sorted(values.items())), halted=halted)
    return unit.having(found)


def _written(param: syntax.Param) -> Scalar | Diagnostic:
    """The value in the file."""
    if param.type not in _READ:
        return unknown("param type", param.type, _READ, param.span)
    value = _READ[param.type](param.value)
    if value is None:
        return Diagnostic(
            "QF113",
            f"`{param.name}` is of type {param.type}, its value is {describe(param.value)}",
            at=param.value.span,
        )
    return value


def _given(param: syntax.Param, text: str | None, written: Scalar) -> Scalar | Diagnostic:
    """The value of `--set`, or that of the file, if it is in the domain."""
    if text is None:
        return _domain(param) or _inside(param, written) or written
    value = _PARSE[param.type](text)
    if value is None:
        return Diagnostic(
            "QF113",
            f"`--set {param.name}={text}`: that is no {param.type}",
            at=param.span,
            label=f"`{param.name}` is of type {param.type}",
        )
    return _domain(param) or _inside(param, value, f"--set {param.name}={text}") or value


def _domain(param: syntax.Param) -> Diagnostic | None:
    """QF113 when the domain itself holds values of another type."""
    match param.domain:
        case syntax.List(items=items):
            strange = [(describe(i), i.span) for i in items if _READ[param.type](i) is None]
        case syntax.Range(span=span) if param.type not in ("int", "float"):
            strange = [("a range of numbers", span)]
        case _:
            return None
    if not strange:
        return None
    what, at = strange[0]
    message = f"`{param.name}` is of type {param.type}, its domain holds {what}"
    return Diagnostic("QF113", message, at=at)


def _inside(param: syntax.Param, value: Scalar, given: str = "") -> Diagnostic | None:
    """QF111 when the domain does not hold the value."""
    match param.domain:
        case syntax.Range(low=low, high=high):
            if isinstance(value, (int, float)) and low.value <= value <= high.value:
                return None
            text = f"{low.text}..{high.text}"
        case syntax.List(items=items):
            allowed = [_READ[param.type](item) for item in items]
            if any(type(a) is type(value) and a == value for a in allowed):
                return None
            text = ", ".join(str(a) for a in allowed)
        case None:
            return None
    if given:
        message = f"`{given}` is outside the domain of `{param.name}`"
        return Diagnostic("QF111", message, at=param.domain.span, label=f"allowed: {text}")
    return Diagnostic(
        "QF111",
        f"the value of `{param.name}` is outside its domain",
        at=param.value.span,
        also=(Label(param.domain.span, f"allowed: {text}"),),
    )


def _number(value: syntax.Value) -> int | float | None:
    return value.value if isinstance(value, syntax.Number) else None


def _read_int(value: syntax.Value) -> Scalar | None:
    number = _number(value)
    return number if isinstance(number, int) else None


def _read_float(value: syntax.Value) -> Scalar | None:
    number = _number(value)
    return None if number is None else float(number)


def _read_bool(value: syntax.Value) -> Scalar | None:
    return _parse_bool(value.value) if isinstance(value, syntax.Name) else None


def _read_dtype(value: syntax.Value) -> Scalar | None:
    return _parse_dtype(value.value) if isinstance(value, syntax.Name) else None


def _read_string(value: syntax.Value) -> Scalar | None:
    return value.value if isinstance(value, syntax.String) else None


_READ: Mapping[str, Callable[[syntax.Value], Scalar | None]] = {
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "dtype": _read_dtype,
    "path": _read_string,
    "string": _read_string,
}


def _parse_int(text: str) -> Scalar | None:
    try:
        return int(text)
    except ValueError:
        return None


def _parse_float(text: str) -> Scalar | None:
    try:
        value = float(text)
    except ValueError:
        return None
    # a scale, rate or bound that is no finite number is a slip
    return value if value - value == 0 else None


def _parse_bool(text: str) -> Scalar | None:
    return {"true": True, "false": False}.get(text)


def _parse_dtype(text: str) -> Scalar | None:
    return text if text in DTYPES else None


def _parse_string(text: str) -> Scalar | None:
    quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text


_PARSE: Mapping[str, Callable[[str], Scalar | None]] = {
    "int": _parse_int,
    "float": _parse_float,
    "bool": _parse_bool,
    "dtype": _parse_dtype,
    "path": _parse_string,
    "string": _parse_string,
}
