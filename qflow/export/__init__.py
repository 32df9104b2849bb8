"""Export: integer models and files other runtimes read. One file per target; `export` for Python.

Names load on first use: the front half reads the facts of targets without torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "IntegerModel": "_model.model",
    "Port": "_model.port",
    "export": "_model.make",
    "load": "_model.saved",
    "restore": "_torch.restore",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
