"""module_name: dtypes and thresholds by name; the empty name is everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.names import covered
from qflow.quantization.scene import Scene
from qflow.quantization.templates.request import (
    Applied,
    Request,
    Requests,
    Template,
    Wish,
    dtype_word,
)
from qflow.registry import nearest

_KEYS = ("dtype", "threshold", "output", "weight", "input")
_PARTS = ("output", "weight", "input")


@dataclass(frozen=True, eq=False)
class ModuleNameTemplate(Template):
    """`{name: value}`, where a value is one of

    - a dtype: of the output;
    - `{"output": dtype, "weight": dtype, "input": dtype}`, any of them;
    - `{"dtype": ..., "threshold": ...}`, each alone for the output or a mapping of parts. A
      threshold is the largest value, so the scale is threshold / 128 for int8, and given.

    `freeze` makes what the march cannot do an error (QF501) instead of a change. A name is what it
    is for a ModuleNameQconfigSetter. QF250 for names that match nothing, QF112 for other keys.
    """

    config_mapping: Mapping[str, Any]
    freeze: bool = False

    def __post_init__(self) -> None:
        for name, value in self.config_mapping.items():
            _asked(name, value)

    def apply(self, scene: Scene, requests: Requests) -> Applied:
        found = covered(scene, tuple(self.config_mapping), "ModuleNameTemplate")
        made = dict(requests)
        for unit, name in found.by_unit.items():
            by = f"ModuleNameTemplate `{name}`"
            wishes = _asked(name, self.config_mapping[name])
            made[unit] = self._with(scene, unit, made[unit], wishes, by, named=bool(name))
        return Applied(made, found.changes, found.unknown)

    def _with(
        self,
        scene: Scene,
        unit: str,
        request: Request,
        wishes: Mapping[str, Wish],
        by: str,
        named: bool,
    ) -> Request:
        parts: dict[str, Any] = {p: w for p, w in wishes.items() if p != "input"}
        if "input" in wishes:
            parts["inputs"] = tuple(wishes["input"] for _ in scene.operands(unit))
        explicit = request.named or (named and "output" in wishes)
        return replace(
            request, **parts, frozen=request.frozen or self.freeze, by=by, named=explicit
        )


def _asked(name: str, value: Any) -> dict[str, Wish]:
    """Wishes by part. Raises QflowError: QF112, QF110, QF111, QF120."""
    if not isinstance(value, Mapping):
        return {"output": Wish(dtype_word(value))}
    if extra := [k for k in value if k not in _KEYS]:
        near = nearest(str(extra[0]), _KEYS) or _KEYS
        notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
        message = f"ModuleNameTemplate `{name}`: there is no field `{extra[0]}`"
        raise fail(Diagnostic("QF112", message, notes=notes))
    dtypes = {**dict(_parts(value.get("dtype", {}))), **{p: value[p] for p in _PARTS if p in value}}
    limits = dict(_parts(value.get("threshold", {})))
    if lost := [p for p in limits if p not in dtypes]:
        message = f"ModuleNameTemplate `{name}`: a threshold of `{lost[0]}` and no dtype for it"
        raise fail(Diagnostic("QF252", message, help=f'add `"dtype": {{"{lost[0]}": qint8}}`'))
    return {p: Wish(dtype_word(d), _limit(name, limits.get(p))) for p, d in dtypes.items()}


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    else:
        yield "output", value


def _limit(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e38:
        message = f"ModuleNameTemplate `{name}`: a threshold is a number above 0, not {value!r}"
        raise fail(Diagnostic("QF111", message))
    return float(value)
