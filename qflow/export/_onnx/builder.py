"""builder: an ONNX graph that grows node by node, every tensor known by its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qflow.emulation.graph import TensorType

BATCH = "N"
"""Name of the free first dimension."""


@dataclass(frozen=True)
class Step:
    """One ONNX node; of its outputs one is used."""

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]
    unused: tuple[str, ...] = ()
    """Outputs before that one, which nothing reads."""


@dataclass(frozen=True)
class Value:
    """What one node of the integer graph yields: its integers, its real values, or both."""

    type: TensorType
    integer: str | None = None
    real: str | None = None


@dataclass
class Builder:
    """Collects steps and constants. `values` says which ONNX tensors stand for which node."""

    steps: list[Step] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    """By node id; `<id>.weight` and `<id>.bias` for parameters."""
    same: dict[str, str] = field(default_factory=dict)
    """Id of a node that only passes on its input, to the id of that input."""
    taken: set[str] = field(default_factory=set)
    """Names of tensors, and those that inputs and outputs reserve."""
    outputs: set[str] = field(default_factory=set)
    """Names that have left the graph."""

    def name(self, wanted: str) -> str:
        """`wanted`, or that with a number behind it when a tensor has it already."""
        found, count = wanted, 1
        while found in self.taken:
            count += 1
            found = f"{wanted}/{count}"
        self.taken.add(found)
        return found

    def constant(self, wanted: str, array: np.ndarray) -> str:
        """The name of a constant; the same name with the same values is stored once."""
        known = self.constants.get(wanted)
        same = known is not None and known.dtype == array.dtype and np.array_equal(known, array)
        name = wanted if same else self.name(wanted)
        self.constants[name] = array
        return name

    def step(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        unused: Sequence[str] = (),
        **attributes: Any,
    ) -> str:
        """Append a node; returns the name of its output."""
        name = self.name(output)
        before = tuple(self.name(u) for u in unused)
        self.steps.append(Step(op, tuple(inputs), name, attributes, before))
        return name

    def quantize(self, id_: str, real: str, type_: TensorType) -> None:
        """Node `id_` is `real` on the grid of `type_`."""
        integer = self.step("QuantizeLinear", (real, *self.grid(id_, type_)), id_)
        self.values[id_] = Value(type_, integer=integer)

    def real(self, id_: str) -> str:
        """Real values of a node; dequantized once, where they are first asked for."""
        id_ = self.same.get(id_, id_)
        value = self.values[id_]
        if value.real is None:
            assert value.integer is not None, f"{id_} has no tensor"
            if value.type.scale is None:  # whole numbers are values as they are
                float32 = np.dtype(np.float32)
                return self.step("Cast", (value.integer,), f"{id_}/real", to=float32)
            inputs = (value.integer, *self.grid(id_, value.type))
            axis = {} if value.type.axis is None else {"axis": value.type.axis}
            value = replace(
                value, real=self.step("DequantizeLinear", inputs, f"{id_}/real", **axis)
            )
            self.values[id_] = value
        assert value.real is not None
        return value.real

    def integer(self, id_: str) -> str:
        """Integers of a node."""
        name = self.values[self.same.get(id_, id_)].integer
        assert name is not None, f"{id_} has no integers"
        return name

    def grid(self, id_: str, type_: TensorType) -> tuple[str, str]:
        """Scale and zero point of a tensor, as constants.

        The zero point is always written, and no two tensors share one: onnxruntime completes a
        missing one wrongly where scales are per channel, and fails to rewrite a shared one.
        """
        assert type_.scale is not None, f"{id_} has no scale"
        scale = type_.scale.astype(np.float32)
        if type_.axis is None:
            scale = scale.reshape(())
        zero = np.full(scale.shape, type_.zero_point, np.dtype(type_.dtype))
        return self.constant(f"{id_}/scale", scale), self.constant(f"{id_}/zero", zero)

    def alias(self, id_: str, source: str) -> None:
        """Node `id_` is what node `source` is."""
        self.same[id_] = self.same.get(source, source)

    def rename(self, old: str, new: str) -> None:
        """Give a tensor the name of an output, everywhere."""

        def of(name: str) -> str:
            return new if name == old else name

        self.steps = [
            replace(s, inputs=tuple(map(of, s.inputs)), output=of(s.output)) for s in self.steps
        ]
        self.values = {
            k: replace(v, integer=v.integer and of(v.integer), real=v.real and of(v.real))
            for k, v in self.values.items()
        }
