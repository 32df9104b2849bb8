"""packages: LiteRT and flatbuffers, which are optional, or the command that installs them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from qflow.diagnostics import Diagnostic, fail

EXTRA = "litert"


def need(name: str) -> ModuleType:
    """The module of that name. Raises QflowError QF405 when it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0].replace("_", "-")
        raise fail(
            Diagnostic(
                "QF405",
                f"the TFLite export needs the package `{package}`: {error}",
                help=f"pip install 'qflow[{EXTRA}]'",
            )
        ) from error
