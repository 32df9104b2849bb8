"""params: the value of every param, from the file or `--set`, checked against type and domain."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from qflow.compile import words
from qflow.compile.unit import Unit
from qflow.compile.values import describe, unknown
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.plan.plan import Scalar


def resolve(unit: Unit) -> Unit:
    """Sets `params`. QF110 unknown param, type or word, QF111 outside its domain, QF113 a type.

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
        written = read(param, param.value, unit.program)
        if isinstance(written, Diagnostic):
            found.append(written)
            halted = True
            continue
        value = _given(param, unit.settings.get(param.name), written, unit.program)
        if isinstance(value, Diagnostic):
            found.append(value)
            value = _instead(param, written)
        values[param.name] = value
    unit = replace(unit, params=tuple(sorted(values.items())), halted=halted)
    return unit.having(found)


def _instead(param: syntax.Param, written: Scalar) -> Scalar:
    """A value to go on with, so that one that is wrong is not found again wherever it is used."""
    if inside(param, written) is None or not isinstance(param.domain, syntax.List):
        return written
    allowed = [_read(param.type, item) for item in param.domain.items]
    # a domain that is wrong itself says nothing of the value
    return written if not allowed or allowed[0] is None or None in allowed else allowed[0]


def read(param: syntax.Param, value: syntax.Value, program: Program) -> Scalar | Diagnostic:
    """A value written in a file, as the param's type has it; its domain is not asked."""
    if param.type not in TYPES:
        return unknown_type(param)
    found = _read(param.type, value)
    if found is None:
        return Diagnostic(
            "QF113",
            f"`{param.name}` is of type {param.type}, its value is {describe(value)}",
            at=value.span,
        )
    return _word(param, found, program, value.span) or found


def unknown_type(param: syntax.Param) -> Diagnostic:
    """QF110 with every type there is."""
    listed = ", ".join(f"`{t}`" for t in sorted(TYPES))
    found = unknown("param type", param.type, (), param.type_span or param.span)
    return replace(found, notes=(f"there are {listed}",))


def parse(
    param: syntax.Param, text: str, program: Program, given: str = "--set"
) -> Scalar | Diagnostic:
    """A value given from outside, judged by type and domain; `given` is how it was given."""
    value = _parse(param.type, text)
    if value is None:
        return Diagnostic(
            "QF113",
            f"`{given} {param.name}={text}`: that is no {param.type}",
            at=param.span,
            label=f"`{param.name}` is of type {param.type}",
        )
    strange = _word(param, value, program, param.span)
    if strange is not None:
        return replace(strange, message=f"`{given} {param.name}={text}`: {strange.message}")
    return inside(param, value, given=f"{given} {param.name}={text}") or value


def _given(
    param: syntax.Param, text: str | None, written: Scalar, program: Program
) -> Scalar | Diagnostic:
    """The value of `--set`, or that of the file, if it is in the domain."""
    if wrong := _domain(param, program):
        return wrong
    if text is None:
        return inside(param, written) or written
    return parse(param, text, program)


def _word(param: syntax.Param, value: Scalar, program: Program, at: Span) -> Diagnostic | None:
    """QF110 for a word that names nothing of its kind."""
    if param.type not in words.TYPES:
        return None
    known = words.words(param.type, program)
    # the language writes `tosa.single`, the file is tosa_single.py
    shown = str(value).replace(".", "_") if param.type == "profile" else str(value)
    return None if shown in known else unknown(param.type, str(value), known, at)


def _domain(param: syntax.Param, program: Program) -> Diagnostic | None:
    """QF113 when the domain itself holds values of another type, QF110 when it holds no word."""
    match param.domain:
        case syntax.List(items=items):
            strange = [(describe(i), i.span) for i in items if _read(param.type, i) is None]
            wrong = [] if strange else [read(param, i, program) for i in items]
            for found in wrong:
                if isinstance(found, Diagnostic):
                    return found
        case syntax.Range(span=span) if param.type not in ("int", "float"):
            strange = [("a range of numbers", span)]
        case _:
            return None
    if not strange:
        return None
    what, at = strange[0]
    message = f"`{param.name}` is of type {param.type}, its domain holds {what}"
    return Diagnostic("QF113", message, at=at)


def inside(
    param: syntax.Param, value: Scalar, at: Span | None = None, given: str = ""
) -> Diagnostic | None:
    """QF111 when the domain does not hold the value, which stands at `at` or was `given`."""
    match param.domain:
        case syntax.Range(low=low, high=high):
            if isinstance(value, (int, float)) and low.value <= value <= high.value:
                return None
            text = f"{low.text}..{high.text}"
        case syntax.List(items=items):
            allowed = [_read(param.type, item) for item in items]
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
        at=at or param.value.span,
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


def _read_word(value: syntax.Value) -> Scalar | None:
    """A name; in quotes when it has a dash."""
    return value.value if isinstance(value, (syntax.Name, syntax.String)) else None


_READ: Mapping[str, Callable[[syntax.Value], Scalar | None]] = {
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "dtype": _read_dtype,
    "path": _read_string,
    "string": _read_string,
}


TYPES = (*_READ, *words.TYPES)
"""Every type a param can have."""


def _read(type_: str, value: syntax.Value) -> Scalar | None:
    return _READ.get(type_, _read_word)(value)


def _parse(type_: str, text: str) -> Scalar | None:
    return _PARSE.get(type_, _parse_string)(text)


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
