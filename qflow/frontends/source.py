"""source: what reading a model file gives, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from qflow.frontends.imported import Imported

Run = Callable[[Mapping[str, Tensor]], "tuple[Tensor, ...]"]


@dataclass(frozen=True)
class FilePort:
    """An input or output as the file declares it."""

    name: str
    dtype: str = ""
    """As torch calls it; empty where the file does not say."""
    dims: tuple[int | None, ...] | None = None
    """None for a dimension that is free, or altogether where the file does not say."""


@dataclass(frozen=True)
class Source:
    """A model out of a file."""

    module: Imported
    inputs: tuple[FilePort, ...]
    outputs: tuple[FilePort, ...]
    """Without names where the format has none: then they go by position."""
    run: Run | None
    """The file itself at work, by the runtime it was written for: what the module is held against.
    None where that runtime is not installed."""
    runtime: str
    """`TorchScript`, `onnxruntime`."""
