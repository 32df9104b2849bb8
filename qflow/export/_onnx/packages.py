"""packages: onnx and onnxruntime, which are optional, or the command that installs them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from qflow.diagnostics import Diagnostic, fail

EXTRA = "onnx"


def need(name: str) -> ModuleType:
    """The module of that name. Raises QflowError QF405 when it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise fail(
            Diagnostic(
                "QF405",
                f"the ONNX export needs the package `{name.partition('.')[0]}`: {error}",
                help=f"pip install 'qflow[{EXTRA}]'",
            )
        ) from error
