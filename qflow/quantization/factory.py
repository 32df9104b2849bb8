"""factory: what `FakeQuantize.with_args` gives, and its way to a plan and back to a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.dtype import DTYPES, DType
from qflow.march import March
from qflow.plan.plan import Decided, Fixed, Observed, Shared, Source, TensorPlan
from qflow.quantization.field_observers import FieldObserver
from qflow.quantization.observer import Observer

if TYPE_CHECKING:
    from qflow.quantization.fake_quantize import FakeQuantize
    from qflow.quantization.place import Place

OBSERVERS = "quantization.observers"
LEARNED = "quantization.learned"
_OWN = ("channels", "divisor", "threshold_divisor", "rounding", "address", "follows")
"""What a call of the factory may add; the march and the model decide it otherwise."""
_SAID = {"saturate": (None, True), "use_grad_scaling": (True,)}
"""Of the toolchain: the values that say what is done here anyway."""


@dataclass(frozen=True, eq=False)
class Factory:
    """A class of fake-quantizers with settings filled in; calling it makes one."""

    cls: type[FakeQuantize]
    settings: Mapping[str, Any]

    def __call__(self, **more: Any) -> FakeQuantize:
        given = {**self.settings, **more}
        own = {name: given.pop(name) for name in _OWN if name in given}
        found = _asked(given, _learned_name(self.cls) is not None)
        if found.scheme == "per_channel":
            own["axis"] = found.axis or 0
        return self.cls(found.observer, found.dtype, fix_scale=found.fix_scale, **own)

    def with_args(self, **more: Any) -> Factory:
        """The same with more settings, or others."""
        return Factory(self.cls, {**self.settings, **more})

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Factory) and self.cls is other.cls
        return same and dict(self.settings) == dict(other.settings)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.cls, *sorted(self.settings)))


def tensor_plan(
    factory: Callable[..., FakeQuantize], scheme_default: str, axis_default: int | None
) -> TensorPlan:
    """What a factory asks for, as a plan.

    `scheme_default` (`per_tensor` or `per_channel`) and `axis_default` hold where the factory has
    no `qscheme` and no `ch_axis`. Raises QflowError: QF110 to QF113 for a name or value that does
    not exist, QF120 for a grid that is not symmetric or not an integer one.
    """
    cls, given = _taken_apart(factory)
    learned = _learned_name(cls)
    found = _asked(given, learned is not None)
    scheme = found.scheme or scheme_default
    axis = found.axis if found.axis is not None else axis_default
    return TensorPlan(
        _decided(found.dtype.name),
        _decided(scheme),
        (0 if axis is None else axis) if scheme == "per_channel" else None,
        _source(found.observer),
        None if learned is None else _decided(learned),
        _decided(True) if found.fix_scale else None,
    )


def fake_quantize_of(
    plan: TensorPlan,
    march: March,
    *,
    address: str,
    channels: int = 1,
    follows: bool = False,
    place: Place | None = None,
) -> FakeQuantize:
    """The fake-quantizer a plan asks for, under a march's divisors and rounding.

    `channels` counts along the plan's axis and is 1 per tensor; `follows` means a weight, which is
    measured anew at each forward and has a divisor of its own; `place` is what observers are told
    that ask for it. Raises QflowError QF410 where the plan's fields do not go together.
    """
    from qflow.quantization.fake_quantize import FakeQuantize

    per_channel = plan.scheme.value == "per_channel"
    cls: type[FakeQuantize] = FakeQuantize
    observer = observer_of(plan.source)
    if plan.learned is not None:
        cls = registry.load(LEARNED, str(plan.learned.value))
    return cls(
        observer if place is None else observer.placed(place),
        DTYPES[str(plan.dtype.value)],
        axis=plan.axis if per_channel else None,
        channels=channels if per_channel else 1,
        divisor=march.weight_divisor if follows else march.observed_divisor,
        threshold_divisor=march.threshold_divisor,
        rounding=march.rounding,
        address=address,
        follows=follows,
        fix_scale=plan.fix_scale is not None and bool(plan.fix_scale.value),
    )


def observer_of(source: Source) -> Observer:
    """The observer of a plan's source, with its settings."""
    found: Observer
    match source:
        case Fixed(scale, unsigned=unsigned):
            positive = unsigned is not None and bool(unsigned.value)
            found = registry.load(OBSERVERS, "fixed")(float(scale.value), unsigned=positive)
        case Observed(observer, settings):
            given = {name: decided.value for name, decided in settings}
            found = registry.load(OBSERVERS, str(observer.value))(**given)
        case Shared():
            raise AssertionError("a shared scale has no observer of its own")
    return found


@dataclass(frozen=True)
class _Asked:
    observer: Observer
    dtype: DType
    scheme: str | None
    axis: int | None
    fix_scale: bool


def _taken_apart(factory: Any) -> tuple[type, dict[str, Any]]:
    if isinstance(factory, Factory):
        return factory.cls, dict(factory.settings)
    if isinstance(factory, partial) and isinstance(factory.func, type):
        return factory.func, dict(factory.keywords)
    if isinstance(factory, type):
        return factory, {}
    raise fail(
        Diagnostic(
            "QF113",
            f"a fake-quantizer is made by `FakeQuantize.with_args(...)`, not by `{factory!r}`",
        )
    )


def _learned_name(cls: type) -> str | None:
    """The registered name of a class with a learned scale; None for the plain one."""
    return next((n for n in registry.names(LEARNED) if registry.load(LEARNED, n) is cls), None)


def _asked(given: Mapping[str, Any], learned: bool) -> _Asked:
    rest = dict(given)
    for name, values in _SAID.items():
        if name in rest and rest.pop(name) not in values:
            raise fail(Diagnostic("QF120", f"`{name}={given[name]}` is not supported yet"))
    made = rest.pop("observer", None)
    fix_scale = bool(rest.pop("fix_scale", False))
    if made is None:
        made = registry.load(OBSERVERS, "min_max")
    if isinstance(made, partial):
        made, rest = made.func, {**made.keywords, **rest}
    if isinstance(made, FieldObserver):
        common = made if not rest else _made(replace, made, rest)
        observer = _made(common.made, None, {})
    elif isinstance(made, type) and issubclass(made, FieldObserver):
        common = _made(made, None, rest)
        observer = _made(common.made, None, {})
    else:
        # one of ours: its own fields first, what is left is what all of the field's take
        own = {f.name for f in fields(made)} if is_dataclass(made) else set()
        mine = {name: rest.pop(name) for name in sorted(own & set(rest))}
        common = _made(FieldObserver, None, rest)
        observer = _made(made, None, mine) if isinstance(made, type) else made
        if mine and not isinstance(made, type):
            observer = _made(replace, made, mine)
    if not isinstance(observer, Observer):
        raise fail(Diagnostic("QF113", f"`observer` is an observer or its class, not `{made!r}`"))
    # a learned scale is moved by the optimizer, whatever the observer's pace
    held = fix_scale or (common.averaging_constant == 0 and not learned)
    return _Asked(observer, common.grid_dtype, common.scheme, common.axis, held)


def _made(make: Callable[..., Any], first: Any, settings: Mapping[str, Any]) -> Any:
    """Call what builds an observer; its complaints become diagnostics."""
    subject = first if first is not None else make
    subject = getattr(subject, "__self__", subject)
    cls = subject if isinstance(subject, type) else type(subject)
    takes = [f.name for f in fields(cls) if f.init] if is_dataclass(cls) else []
    if extra := sorted(set(settings) - set(takes)):
        near = registry.nearest(extra[0], tuple(dict.fromkeys((*takes, "dtype", "observer"))))
        raise fail(
            Diagnostic(
                "QF112",
                f"`{cls.__name__}` has no setting `{extra[0]}`",
                help=f"the nearest: {', '.join(f'`{n}`' for n in near)}" if near else "",
            )
        )
    try:
        return make(**settings) if first is None else make(first, **settings)
    except QflowError:
        raise
    except (ValueError, TypeError) as error:
        raise fail(Diagnostic("QF111", f"`{cls.__name__}`: {error}")) from error


def _source(observer: Observer) -> Observed | Fixed:
    name = next(
        (n for n in registry.names(OBSERVERS) if registry.load(OBSERVERS, n) is type(observer)),
        None,
    )
    if name is None:
        raise fail(
            Diagnostic(
                "QF110",
                f"`{type(observer).__name__}` is not a registered observer",
                help="register it as an entry point of the group `qflow.quantization.observers`",
            )
        )
    settings = {f.name: getattr(observer, f.name) for f in fields(observer)}  # type: ignore[arg-type]
    given = {n: v for n, v in settings.items() if v is not None}
    if name == "fixed" and "scale" in given:
        unsigned = _decided(True) if given.get("unsigned") else None
        return Fixed(_decided(given["scale"]), unsigned=unsigned)
    return Observed(_decided(name), tuple((n, _decided(v)) for n, v in sorted(given.items())))


def _decided(value: str | int | float | bool) -> Decided:
    return Decided(value, why="QConfig")
