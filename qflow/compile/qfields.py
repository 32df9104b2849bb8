"""qfields: the fields of a qconfig: how changes lie over a base, and what is wrong then."""

from collections.abc import Iterator, Mapping, Sequence

from qflow import registry
from qflow.compile import facts, learning
from qflow.compile.problem import Problem
from qflow.compile.unit import Fields
from qflow.compile.values import describe, scalar
from qflow.diagnostics import Diagnostic, QflowError
from qflow.diagnostics.meant import respelled
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.plan.plan import Decided, Scalar

OBSERVERS = "quantization.observers"
FIXED = "fixed"
SCALES = "scales"
"""Marks a qconfig whose output scale is taken from a table; what else it says holds where the table
has none."""
PARTS = ("act", "weight")
CORE = ("dtype", "scheme", "observer", "scale", "threshold", "fake_quant", "fix_scale")
"""What every tensor has; any other field is one of its observer."""
_WITH_ANY = ("dtype", "scheme", "observer", "fake_quant", "fix_scale")
"""What stays when the observer changes."""
GRIDS = ("int4", "int8", "int16")
_SCHEMES = {"act": ("per_tensor",), "weight": ("per_channel", "per_tensor")}
_NEEDED = ("act.dtype", "act.observer", "weight.dtype", "weight.observer")
SMALLEST_SCALE, LARGEST_SCALE = 2.0**-126, (2 - 2.0**-23) * 2.0**127
"""Of float32, which scales are kept in; below the first it loses bits, then becomes 0."""
_KINDS: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}


def written(fields: Sequence[syntax.Field]) -> tuple[dict[str, Scalar], list[Diagnostic]]:
    """Values of fields as written, and what is wrong with each taken alone."""
    values: dict[str, Scalar] = {}
    found: list[Diagnostic] = []
    for field in fields:
        value = scalar(field.value)
        if not _has_known_part(field.name):
            found.append(_no_such(field))
        elif field.name in values:
            message = f"`{field.name}` is set twice"
            found.append(Diagnostic("QF114", message, at=field.name_span))
        elif value is None:
            message = f"`{field.name}` is a single value, not {describe(field.value)}"
            found.append(Diagnostic("QF113", message, at=field.value.span))
        else:
            values[field.name] = value
    return values, found


def _has_known_part(name: str) -> bool:
    part, dot, rest = name.partition(".")
    return name == "out.dtype" or (part in PARTS and bool(dot) and "." not in rest)


def _no_such(field: syntax.Field) -> Diagnostic:
    known = (*(f"{p}.{c}" for p in PARTS for c in CORE), "out.dtype")
    near = registry.nearest(field.name, known) or known
    return Diagnostic(
        "QF112",
        f"a qconfig has no field `{field.name}`",
        at=field.name_span,
        notes=(f"the nearest: {', '.join(f'`{n}`' for n in near)}",),
        about=field.name,
        edits=respelled(field.name_span, field.name, known),
    )


def overlay(base: Fields, changes: Fields) -> dict[str, Decided]:
    """`base` with `changes`; a new observer takes the settings of the old one with it."""
    kept = {k: v for k, v in base.items() if k not in _replaced(changes)}
    if any(f"act.{name}" in changes for name in ("observer", "scale", "threshold")):
        kept.pop(SCALES, None)
    for part in PARTS:
        observer = changes.get(f"{part}.observer")
        old = base.get(f"{part}.observer")
        if observer and old and observer.value != old.value:
            core = {f"{part}.{name}" for name in _WITH_ANY}
            kept = {k: v for k, v in kept.items() if not k.startswith(f"{part}.") or k in core}
    return {**kept, **changes}


def _replaced(changes: Fields) -> set[str]:
    """A scale takes the place of a threshold, and the other way round."""
    other = {"scale": "threshold", "threshold": "scale"}
    pairs = [(f"{p}.{new}", f"{p}.{old}") for p in PARTS for new, old in other.items()]
    return {old for new, old in pairs if new in changes}


def problems(fields: Mapping[str, Scalar]) -> Iterator[Problem]:
    """All that is wrong with a whole qconfig."""
    if missing := [name for name in _NEEDED if name not in fields]:
        text = ", ".join(f"`{name}`" for name in missing)
        help_ = "give it a base: `base = w8a8`"
        yield Problem("QF115", missing[0], f"this qconfig never sets {text}", help=help_)
    for part in PARTS:
        yield from _dtype(f"{part}.dtype", fields, GRIDS)
        yield from _scheme(part, fields)
        yield from _observer(part, fields)
        yield from learning.problems(part, fields)
    yield from _dtype("out.dtype", fields, ("int8", "int16", "int32"))


def _dtype(name: str, fields: Mapping[str, Scalar], allowed: Sequence[str]) -> Iterator[Problem]:
    value = fields.get(name)
    if value is None or value in allowed:
        return
    if value not in DTYPES:
        near = registry.nearest(str(value), tuple(DTYPES)) or tuple(DTYPES)
        notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
        yield Problem("QF110", name, f"there is no dtype `{value}`", notes)
    elif DTYPES[str(value)].is_float:
        yield Problem("QF120", name, f"`{name} = {value}` is not supported yet")
    else:
        text = ", ".join(f"`{a}`" for a in allowed)
        yield Problem("QF111", name, f"`{name}` cannot be `{value}`", (f"it can be {text}",))


def _scheme(part: str, fields: Mapping[str, Scalar]) -> Iterator[Problem]:
    value = fields.get(f"{part}.scheme")
    if value is not None and value not in _SCHEMES[part]:
        text = " or ".join(f"`{s}`" for s in _SCHEMES[part])
        yield Problem("QF111", f"{part}.scheme", f"`{part}.scheme` must be {text}")


def _observer(part: str, fields: Mapping[str, Scalar]) -> Iterator[Problem]:
    name = f"{part}.observer"
    observer = fields.get(name)
    if observer is None:
        return
    known = facts.known(OBSERVERS)
    if observer not in known:
        near = registry.nearest(str(observer), known) or known
        notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
        message = f"there is no observer `{observer}`"
        yield Problem("QF110", name, message, notes, word=str(observer), known=tuple(known))
        return
    given = [f"{part}.{n}" for n in ("scale", "threshold") if f"{part}.{n}" in fields]
    if observer == FIXED:
        yield from _fixed(name, given, fields)
    else:
        for field in given:
            text = f"`{field}` is set, but the observer is `{observer}`"
            yield Problem("QF111", field, text, help=f"write `{name} = {FIXED}` as well")
    yield from _settings(part, str(observer), fields)


def _fixed(name: str, given: Sequence[str], fields: Mapping[str, Scalar]) -> Iterator[Problem]:
    part = name.partition(".")[0]
    if not given:
        text = f"the observer `{FIXED}` needs `{part}.scale` or `{part}.threshold`"
        yield Problem("QF115", name, text, help=f"write `{part}.scale = 0.0078125`")
    if len(given) > 1:
        text = f"`{given[0]}` and `{given[1]}` both say what the scale is"
        yield Problem("QF111", given[1], text, help="write one of them")
    for field in given:
        value = fields[field]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield Problem("QF113", field, f"`{field}` is a number, not `{value}`")
        elif not 0 < value < float("inf"):
            yield Problem("QF111", field, f"`{field}` must be finite and above 0, not {value}")
        elif not SMALLEST_SCALE <= value <= LARGEST_SCALE:
            yield Problem("QF111", field, f"`{field}` must fit a float32, {value} does not")


def _settings(part: str, observer: str, fields: Mapping[str, Scalar]) -> Iterator[Problem]:
    """Fields of the observer itself, such as `act.percentile`."""
    own = {name: type_ for name, type_, _ in facts.settings(OBSERVERS, observer)}
    given = {
        name.partition(".")[2]: value
        for name, value in fields.items()
        if name.startswith(f"{part}.") and name.partition(".")[2] not in CORE
    }
    sound = True
    for name, value in given.items():
        if name not in own:
            text = ", ".join(f"`{part}.{n}`" for n in own if n not in CORE) or "none"
            message = f"the observer `{observer}` has no field `{name}`"
            yield Problem("QF112", f"{part}.{name}", message, (f"its fields: {text}",))
            sound = False
        elif not _fits(value, own[name]):
            message = f"`{part}.{name}` is of type {own[name]}, not `{value}`"
            yield Problem("QF113", f"{part}.{name}", message)
            sound = False
    if not sound or observer == FIXED:
        return
    wrong = list(_range(part, observer, given))
    yield from wrong
    per_channel = fields.get(f"{part}.scheme") == "per_channel"
    if per_channel and not wrong and not facts.per_channel(observer, given):
        yield Problem(
            "QF410",
            f"{part}.observer",
            f"the observer `{observer}` is for whole tensors, and not for channels",
            help=f"use `min_max`, `mse` or `percentile`, or `{part}.scheme = per_tensor`",
        )


def _fits(value: Scalar, type_: str) -> bool:
    allowed = _KINDS.get(type_)
    if allowed is None:
        return True
    return isinstance(value, allowed) and (type_ == "bool" or not isinstance(value, bool))


def _range(part: str, observer: str, given: Mapping[str, Scalar]) -> Iterator[Problem]:
    """What the observer's own check says, one field at a time so that the place is right."""
    cls = registry.load(OBSERVERS, observer)
    for name, value in given.items():
        try:
            cls(**{name: value})
        except (ValueError, QflowError) as error:
            yield Problem("QF111", f"{part}.{name}", f"`{part}.{name}`: {error}")
        except TypeError:
            # another field has no default: the engine builds it with all of them
            continue
