"""reading: a model file of whatever format, told by its suffix."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from qflow.frontends.refusing import damaged
from qflow.frontends.source import Source

_READERS = {
    ".onnx": "onnx",
    ".pt2": "pt2",
    **dict.fromkeys((".ts", ".pt", ".pth", ".torchscript"), "torchscript"),
}


def read(path: Path, shown: str) -> Source:
    """The model in a file. Raises QflowError: QF302 and QF362 to QF365, QF405 for a package.

    Nothing of the file runs but operators that compute, and no pickle in it is trusted.
    """
    reader = _READERS.get(path.suffix.lower())
    assert reader is not None, "the compiler refuses other suffixes"
    try:
        found: Source = import_module(f"qflow.frontends.{reader}").read(path, shown)
    except RecursionError as error:
        raise damaged(shown, "its parts are nested too deeply") from error
    return found
