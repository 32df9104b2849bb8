"""qflow: quantize PyTorch models for edge accelerators, reviewably and exactly.

Names load on first use, so that `import qflow` imports neither torch nor anything slow.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PACKAGES = (
    "analysis",
    "dtype",
    "export",
    "functional",
    "march",
    "nn",
    "qat_mode",
    "quantization",
    "tracing",
)
_HOME = {
    "March": "march",
    "QTensor": "emulation.qtensor",
    "get_march": "march.current",
    "load": "export",
    "set_march": "march.current",
}


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted((*globals(), *_PACKAGES, *_HOME))
