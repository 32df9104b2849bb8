"""multirun: the points of `-m ...` composed and compiled, all of them before one is run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from qflow.compile.many import Compiled, collected
from qflow.compile.points import Point, distinct, named
from qflow.compile.sweeps import MOST_POINTS
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.hydra.asked import Asked, of
from qflow.hydra.compose import COMMAND_LINE, Composed, find_origins, not_composed, of_config
from qflow.hydra.origins import Origins

_PARAMS = ("params.", "qflow.params.")
"""What the name of a point leaves out where that takes nothing from it."""

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chosen:
    """The overrides of one point."""

    overrides: tuple[str, ...]
    """Of Hydra: those that are the same for all points included."""
    varied: Values
    """Short names and values of those that are not."""


@dataclass(frozen=True)
class ComposedPoint:
    """One point of a multirun."""

    compiled: Compiled
    composed: Composed
    asked: Asked


def chosen(lines: Sequence[str], loader: ConfigLoader) -> tuple[Chosen, ...]:
    """Every combination of what the lines of a command line vary; the last one changes fastest.

    Raises QflowError: QF148 for what Hydra cannot read or that is no list, QF123 for too many.
    """
    try:
        overrides = OverridesParser.create(loader).parse_overrides([*lines])
        # as everywhere in Hydra, the last one of a key counts
        last = {o.get_key_element(): o for o in overrides}
        lists = [_values(o) for o in last.values()]
    except HydraException as error:
        raise QflowError((not_composed(error),)) from error
    _few_enough([len(values) for values in lists])
    names = _short([key for key, o in last.items() if o.is_sweep_override()])
    found = []
    for row in product(*lists):
        both = list(zip(last.items(), row, strict=True))
        varied = tuple((names[k], v) for (k, o), v in both if o.is_sweep_override())
        found.append(Chosen(tuple(_written(k, o, v) for (k, o), v in both), varied))
    return tuple(found)


def points(
    found: Sequence[Chosen], lines: Sequence[str], loader: ConfigLoader, master: DictConfig
) -> tuple[ComposedPoint, ...]:
    """Each composed and compiled; what is wrong with a program is data.

    `lines` is what the command line gave, for excerpts; `master` the configuration without what is
    varied. Raises QflowError when not every point can be composed, with all errors of all points.
    """
    done: list[ComposedPoint] = []
    wrong: dict[str, Sequence[Diagnostic]] = {}
    sources: dict[str, str] = {COMMAND_LINE: "\n".join(lines)}
    places: dict[tuple[str, ...], Origins] = {}
    for point, one in zip(_points(found), found, strict=True):
        try:
            config = _config(one, loader, master)
            groups = tuple(filter(_may_be_group, one.overrides))
            if groups not in places:
                places[groups] = find_origins()
            composed = of_config(config, given=lines, known=places[groups])
            point = replace(point, settings=tuple(sorted(composed.settings.items())), varied=())
            front = composed.front()
            done.append(ComposedPoint(Compiled(point, front, one.varied), composed, of(config)))
            wrong[point.name] = [d for d in front.diagnostics if d.severity == "error"]
            sources.update(front.sources)
        except QflowError as error:
            wrong[point.name] = error.diagnostics
            sources.update(error.sources)
    if len(done) < len(found):
        raise QflowError(collected(wrong), sources=sources)
    return tuple(done)


def _values(override: Override) -> list[str]:
    """Raises QflowError QF148 for values that are an interval: there is no list of them."""
    if not override.is_sweep_override():
        return [""]
    if not override.is_discrete_sweep():
        message = f"`{override.input_line}` gives no list of values"
        help_ = "write them out, or `range(FROM, TO, STEP)`"
        raise fail(Diagnostic("QF148", message, help=help_))
    return list(dict.fromkeys(override.sweep_string_iterator()))


def _written(key: str, override: Override, value: str) -> str:
    return f"{key}={value}" if override.is_sweep_override() else str(override.input_line)


def _few_enough(sizes: Sequence[int]) -> None:
    count = 1
    for size in sizes:
        count *= size
    if count > MOST_POINTS:
        message = f"this sweep has {count} points; {MOST_POINTS} is the most"
        raise fail(Diagnostic("QF123", message, help="vary fewer values"))


def _short(keys: Sequence[str]) -> dict[str, str]:
    """Names without signs of Hydra and without `params.`, unless two would be the same."""
    plain = {key: key.lstrip("+~") for key in keys}
    short = {key: _without(name) for key, name in plain.items()}
    taken = list(short.values())
    return {k: name if taken.count(name) == 1 else plain[k] for k, name in short.items()}


def _without(key: str) -> str:
    return next((key.removeprefix(p) for p in _PARAMS if key.startswith(p)), key)


def _points(found: Sequence[Chosen]) -> Iterator[Point]:
    all_ = [Point(named(c.varied), c.varied, tuple(k for k, _ in c.varied)) for c in found]
    return distinct(all_)


def _config(one: Chosen, loader: ConfigLoader, master: DictConfig) -> DictConfig:
    """Of one point; it is the one Hydra speaks of from now on."""
    try:
        config = loader.load_sweep_config(master, [*one.overrides])
        HydraConfig.instance().set_config(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise QflowError((not_composed(error),)) from error
    return config


def _may_be_group(override: str) -> bool:
    """A key of several parts is a value; all others may choose files."""
    return "." not in override.partition("=")[0].partition("@")[0]
