"""builtin: the qconfigs that ship as conf/qconfig/*.yaml."""

from collections.abc import Mapping
from functools import cache

from qflow import resources
from qflow.plan.plan import Scalar


@cache
def names() -> tuple[str, ...]:
    """Every built-in qconfig, sorted."""
    return tuple(sorted(p.stem for p in (resources.folder("conf") / "qconfig").glob("*.yaml")))


@cache
def load(name: str) -> Mapping[str, Scalar]:
    """Fields of a built-in qconfig: `act.dtype` to `int8`. Raises KeyError."""
    if name not in names():
        raise KeyError(name)
    path = resources.folder("conf") / "qconfig" / f"{name}.yaml"
    raw = resources.read_yaml(path)
    return {f"{part}.{field}": value for part in raw for field, value in raw[part].items()}
