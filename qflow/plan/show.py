"""show: values, dimensions and tensor plans as short text for people."""

import json
from collections.abc import Sequence
from dataclasses import fields

from qflow.plan.plan import (
    Data,
    DataSpec,
    Decided,
    Fixed,
    Leaf,
    Observed,
    PortPlan,
    Scalar,
    Setting,
    Shared,
    TensorPlan,
)
from qflow.plan.sources import Draw, Preprocess


def scalar(value: Scalar) -> str:
    """As the language writes it: `true`, `0.001`, bare words and names."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return value if value and not set(value) & set(' "\t,{}[]') else json.dumps(value)


def data(value: Data) -> str:
    """Nested data: `[1, 2]`, `{classes: 80}`."""
    if value is None:
        return "none"
    if not isinstance(value, tuple):
        return scalar(value)
    if value and all(isinstance(v, tuple) and len(v) == 2 and isinstance(v[0], str) for v in value):
        pairs = ", ".join(f"{v[0]}: {data(v[1])}" for v in value if isinstance(v, tuple))
        return "{" + pairs + "}"
    return "[" + ", ".join(data(v) for v in value) + "]"


def port(value: PortPlan) -> str:
    """`float32[N, 1, 8, 8]`."""
    return f"{value.dtype}[{', '.join(map(str, value.dims))}]"


def draw(value: Draw) -> str:
    """`uniform [-1, 1)`, `normal 0 +- 1`."""
    if value.distribution == "zeros":
        return "zeros"
    bounds = "" if value.low is None else f" [{value.low:g}, {value.high:g})"
    spread = f" {value.mean:g} +- {value.std:g}" if value.distribution == "normal" else ""
    return f"{value.distribution}{spread}{bounds}"


def source(spec: DataSpec) -> tuple[tuple[str, Data], ...]:
    """What a data block says of how its source is read, without what goes without saying."""
    found: list[tuple[str, Data]] = [("keys", spec.keys)] if spec.keys else []
    if spec.preprocess is not None:
        usual = Preprocess()
        given = ((f.name, getattr(spec.preprocess, f.name)) for f in fields(usual))
        said = tuple((n, v) for n, v in given if v != getattr(usual, n))
        found.append(("preprocess", said or "images as they are"))
    return tuple(found)


def settings(values: Sequence[tuple[str, Decided | Setting]]) -> str:
    return " ".join(f"{name}={data(decided.value)}" for name, decided in values)


def leaf(value: Leaf) -> str:
    """`type Block in "neck.**" except "neck.first"`."""
    out = ", ".join(_part(*p) for p in value.excluded)
    return ", ".join(_part(*p) for p in value.parts) + (f" except {out}" if out else "")


def _part(type_: str, pattern: str) -> str:
    quoted = json.dumps(pattern)
    if not type_:
        return quoted
    return f"type {type_}" + ("" if pattern == "**" else f" in {quoted}")


def tensor(plan: TensorPlan) -> str:
    """`int8 per_channel min_max`, `int8 of stem.conv`, `int8 scale 0.0078125`, `int8 mse lsq`."""
    dtype = f"{plan.dtype.value}"
    if isinstance(plan.source, Shared):
        return f"{dtype} of {plan.source.owner}"
    scheme = "" if plan.scheme.value == "per_tensor" else f" {plan.scheme.value}"
    if isinstance(plan.source, Fixed):
        given = plan.source.unsigned
        sign = " unsigned" if given is not None and given.value else ""
        return f"{dtype}{scheme} scale {scalar(plan.source.scale.value)}{sign}"
    observed: Observed = plan.source
    more = settings(observed.settings)
    found = f"{dtype}{scheme} {observed.observer.value}" + (f"({more})" if more else "")
    if plan.learned is not None:
        found += f" {plan.learned.value}"
    if plan.fix_scale is not None and plan.fix_scale.value:
        found += " fix_scale"
    return found


def visible(line: str) -> str:
    """One line for a terminal or a page: what would end it, or steer a terminal, is escaped."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
