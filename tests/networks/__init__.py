"""Small networks of every style that models in the wild are written in, one file each.

A file has `network()`, a seeded model in evaluation mode, and `example()`, its positional
arguments; some have `example_kwargs()`, its keyword arguments, and `stubbed()`, the same network
with quant and dequant stubs in it.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

NAMES = tuple(
    sorted(m.name for m in iter_modules(__path__) if not m.name.startswith(("_", "test_")))
)


def load(name: str) -> ModuleType:
    """The file of one style."""
    return import_module(f"{__name__}.{name}")
