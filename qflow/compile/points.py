"""points: the points of a sweep, each a name and settings; all are compiled before one runs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import product

from qflow.compile import params
from qflow.compile.sweeps import Axis, Grid, grid, too_many
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, QflowError, sort
from qflow.lang.program import Program
from qflow.plan.plan import Scalar
from qflow.records import dataclass

_LONGEST = 80
"""Characters of a name; a longer one is cut and gets eight digits of its digest."""
_PLAIN = re.compile(r"[^A-Za-z0-9._=,+-]")

Chosen = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class Point:
    """One program of a sweep."""

    name: str
    """`bits=int8,top=4`: fit for a folder, and no other point of the sweep has it."""
    settings: tuple[tuple[str, str], ...]
    """Every setting it is compiled with, those of all points included; as `--set` takes them."""
    varied: tuple[str, ...] = ()
    """Which of the settings the sweep gives, in its order."""


def points(
    program: Program,
    sweep: str | None,
    overrides: Mapping[str, tuple[str, ...]],
    settings: Mapping[str, str],
) -> tuple[Point, ...]:
    """The points of a named sweep, each once for every combination of the overrides.

    `overrides` are values per param as text (`-m bits=int8,int16`), `settings` are the same for
    all points. The last list changes fastest. Without a sweep and overrides there is one point.
    Raises QflowError with all that is wrong: no such sweep or param, values outside a domain.
    """
    found: list[Diagnostic] = []
    named = Grid((), zip=False)
    if sweep is not None:
        read = _named(program, sweep)
        if isinstance(read, Grid):
            named = read
        else:
            found += read
    given = Grid(tuple(_given(program, overrides, found)), zip=False)
    found += _clashes(named, given, settings)
    whole = Grid((Axis("", ("",) * named.count), *given.axes), zip=False)
    if not found and (wrong := too_many(whole, None)):
        found.append(wrong)
    if found:
        raise QflowError(sort(found))
    combined = [(*a, *b) for a, b in product(_combinations(named), _combinations(given))]
    return tuple(distinct([_point(chosen, settings) for chosen in combined]))


def _named(program: Program, name: str) -> Grid | tuple[Diagnostic, ...]:
    sweep = next((s for s in program.sweeps if s.name == name), None)
    if sweep is None:
        names = [s.name for s in program.sweeps]
        return (replace(unknown("sweep", name, names, program.span), at=None),)
    return grid(sweep, program)


def _given(
    program: Program, overrides: Mapping[str, tuple[str, ...]], found: list[Diagnostic]
) -> Iterator[Axis]:
    by_name = {p.name: p for p in reversed(program.params)}
    for name, texts in overrides.items():
        param = by_name.get(name)
        if param is None:
            found.append(replace(unknown("param", name, by_name, program.span), at=None))
            continue
        if param.type not in params.TYPES:
            found.append(params.unknown_type(param))
            continue
        values: list[Scalar] = []
        for text in texts:
            value = params.parse(param, text, program, given="-m")
            if isinstance(value, Diagnostic):
                found.append(value)
            elif value not in values:
                values.append(value)
        if not texts:
            found.append(Diagnostic("QF115", f"`-m {name}=` gives no value", at=param.span))
        yield Axis(name, tuple(values))


def _clashes(named: Grid, given: Grid, settings: Mapping[str, str]) -> Iterator[Diagnostic]:
    """QF114 for a param that two of sweep, `-m` and `--set` give."""
    swept = {a.param for a in named.axes}
    for axis in given.axes:
        if axis.param in swept:
            message = f"`{axis.param}` is in the sweep, and in `-m`"
            yield Diagnostic("QF114", message, help="leave it out of one of them")
    for name in settings:
        if name in swept or name in {a.param for a in given.axes}:
            message = f"`{name}` is swept, and in `--set`"
            yield Diagnostic("QF114", message, help="leave it out of one of them")


def _combinations(grid: Grid) -> Iterator[Chosen]:
    names = [a.param for a in grid.axes]
    lists = [a.values for a in grid.axes]
    rows = zip(*lists, strict=True) if grid.zip and lists else product(*lists)
    for row in rows:
        yield tuple(zip(names, row, strict=True))


def _point(chosen: Chosen, settings: Mapping[str, str]) -> Point:
    texts = tuple((name, _text(value)) for name, value in chosen)
    varied = tuple(name for name, _ in chosen)
    shown = named((name, str(_shown(value))) for name, value in chosen)
    return Point(shown, (*settings.items(), *texts), varied)


def named(values: Iterable[tuple[str, str]]) -> str:
    """The name of a point by what is varied, in characters that a folder can have."""
    return _PLAIN.sub("_", ",".join(f"{name}={value}" for name, value in values)) or "point"


def distinct(found: Sequence[Point]) -> Iterator[Point]:
    """Names that are too long, or the same after what no folder can hold, get their digest."""
    folded = [p.name.lower() for p in found]
    count: dict[str, int] = {}
    for name in folded:
        count[name] = count.get(name, 0) + 1
    for point, name in zip(found, folded, strict=True):
        if len(name) <= _LONGEST and count[name] == 1:
            yield point
            continue
        digest = sha256(repr(point.settings).encode()).hexdigest()[:8]
        yield replace(point, name=f"{point.name[:_LONGEST]}-{digest}")


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: Scalar) -> str:
    """As `--set` reads it back: a string that stands in quotes keeps them."""
    text = _shown(value)
    quoted = isinstance(value, str) and len(text) >= 2 and text[0] == text[-1] == '"'
    return f'"{text}"' if quoted else text
