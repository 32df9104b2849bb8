"""Analysis: what is measured of a model, finished or prepared. Free of torch until it is called."""

from importlib import import_module
from typing import Any

_HOME = {"SensitivityTable": "ablation.table", "sensitivity": "ablation.measuring"}

__all__ = ["SensitivityTable", "sensitivity"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
