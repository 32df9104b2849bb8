"""sweeps: the `sweep` blocks: params that exist, values they may have, lists that fit together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from qflow.compile import params
from qflow.compile.unit import Unit
from qflow.compile.values import describe, twice, unknown
from qflow.diagnostics import Diagnostic, Label
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.plan.plan import Scalar
from qflow.records import dataclass

MOST_POINTS = 10_000
"""Points of one sweep: each is compiled before the first of them runs."""


@dataclass(frozen=True)
class Axis:
    """A param and the values it takes."""

    param: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Grid:
    """A sweep whose every value was judged."""

    axes: tuple[Axis, ...]
    """In the order written."""
    zip: bool
    """The first values of all lists make the first point, and so on; else every combination."""

    @property
    def count(self) -> int:
        """How many points it has."""
        sizes = [len(a.values) for a in self.axes]
        return min(sizes) if self.zip else prod(sizes)


def check(unit: Unit) -> Unit:
    """Judges every sweep; no plan depends on one, so nothing is set."""
    found: list[Diagnostic] = []
    for sweep in unit.program.sweeps:
        read = grid(sweep, unit.program)
        found += read if isinstance(read, tuple) else ()
    return unit.having(found)


def grid(sweep: syntax.Sweep, program: Program) -> Grid | tuple[Diagnostic, ...]:
    """A sweep as values, or everything wrong with it."""
    by_name = {p.name: p for p in reversed(program.params)}
    axes: list[Axis] = []
    found = list(_shape(sweep))
    for field in sweep.fields:
        axis = _axis(field, by_name, program)
        if isinstance(axis, Axis):
            axes.append(axis)
        else:
            found += axis
    done = Grid(tuple(axes), sweep.zip)
    if not found and (wrong := too_many(done, sweep)):
        found.append(wrong)
    return tuple(found) or done


def too_many(grid: Grid, sweep: syntax.Sweep | None) -> Diagnostic | None:
    """QF123; `sweep` is None for points from the command line."""
    if grid.count <= MOST_POINTS:
        return None
    return Diagnostic(
        "QF123",
        f"this sweep has {grid.count} points; {MOST_POINTS} is the most",
        at=sweep.span if sweep else None,
        help="sweep fewer values, or pair the lists with `zip`",
    )


def _shape(sweep: syntax.Sweep) -> Iterator[Diagnostic]:
    """QF115 without fields, QF114 a param twice, QF122 lists of other lengths under `zip`."""
    at = sweep.name_span or sweep.span
    if not sweep.fields:
        help_ = f"write `sweep {sweep.name} {{ PARAM = [VALUE, VALUE] }}`"
        yield Diagnostic("QF115", f"sweep `{sweep.name}` names no param", at=at, help=help_)
    first: dict[str, syntax.Field] = {}
    for field in sweep.fields:
        if field.name in first:
            yield twice(f"`{field.name}`", field.name_span, first[field.name].name_span)
        first.setdefault(field.name, field)
    lists = [(f, len(f.value.items)) for f in sweep.fields if isinstance(f.value, syntax.List)]
    if not sweep.zip or not lists:
        return
    model, size = lists[0]
    for field, length in lists[1:]:
        if length != size:
            values = "1 value" if length == 1 else f"{length} values"
            yield Diagnostic(
                "QF122",
                f"`zip` pairs the lists, and `{field.name}` has {values}",
                at=field.value.span,
                also=(Label(model.value.span, f"`{model.name}` has {size}"),),
                help="give them one length, or write the sweep without `zip` for every combination",
                about=field.name,
            )


def _axis(
    field: syntax.Field, by_name: Mapping[str, syntax.Param], program: Program
) -> Axis | list[Diagnostic]:
    param = by_name.get(field.name)
    if param is None:
        return [unknown("param", field.name, by_name, field.name_span)]
    if not isinstance(field.value, syntax.List) or not field.value.items:
        message = f"a sweep of `{field.name}` is a list of values, not {describe(field.value)}"
        if isinstance(field.value, syntax.List):
            message = f"a sweep of `{field.name}` needs at least one value"
        help_ = f"write `{field.name} = [VALUE, VALUE]`"
        return [Diagnostic("QF113", message, at=field.value.span, help=help_)]
    values: list[Scalar] = []
    found: list[Diagnostic] = []
    first: dict[Scalar, syntax.Value] = {}
    for item in field.value.items:
        value = _value(param, item, program)
        if isinstance(value, Diagnostic):
            found.append(value)
            continue
        if value in first:
            found.append(twice(f"the point `{field.name} = {value}`", item.span, first[value].span))
        first.setdefault(value, item)
        values.append(value)
    return found or Axis(param.name, tuple(values))


def _value(param: syntax.Param, item: syntax.Value, program: Program) -> Scalar | Diagnostic:
    value = params.read(param, item, program)
    if isinstance(value, Diagnostic):
        if value.code != "QF113":
            return value
        label = Label(param.span, f"`{param.name}` is of type {param.type}")
        message = f"`{param.name}` cannot be {describe(item)}"
        return replace(value, message=message, also=(label,))
    wrong = params.inside(param, value, at=item.span)
    return wrong or value
