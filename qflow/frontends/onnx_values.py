"""onnx_values: what a name in an ONNX graph can stand for while it is read, and its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from qflow.frontends.imported import Value


@dataclass(frozen=True)
class Constant:
    """A tensor of the file, or one computed of such."""

    name: str
    array: np.ndarray
    turned: Constant | None = None
    """The matrix of which it is the transpose: exporters turn the weight of a linear."""


@dataclass(frozen=True)
class Sizes:
    """Whole numbers of which some depend on the shape of an input: what `Shape` gives."""

    items: tuple[int | Value, ...]
    scalar: bool = False
    """One number without a dimension."""


Known: TypeAlias = "Value | Constant | Sizes | None"


@dataclass(frozen=True)
class Node:
    """One operator of the graph."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    metadata: Mapping[str, str]

    @property
    def shown(self) -> str:
        """For messages: the operator and its name, or what it makes."""
        return f"{self.op} {self.name or ', '.join(self.outputs)}"
