"""Graphs of TOSA, run by its reference model; tensors of images have their channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph, Node
from tests.conformance.litert_case import Case


class Model:
    """A graph in the making: every method adds an operator and gives the name of its result."""

    def __init__(self, rounding: str) -> None:
        import tosa_serializer as tosa

        self.tosa: Any = tosa
        self.writer = tosa.TosaSerializer("", tosa.ConstMode.EMBED, 1, 1, 0, True)
        self.double = rounding == "tosa.double"
        self.inputs: list[np.ndarray] = []
        self.shapes: dict[str, tuple[int, ...]] = {}

    def kind(self, dtype: str) -> Any:
        return getattr(self.tosa.DType, {"uint8": "INT8"}.get(dtype, dtype.upper()))

    def input(self, values: np.ndarray) -> str:
        """Bytes without a sign are given as those with one: RESCALE says what they are."""
        self.inputs.append(np.ascontiguousarray(values))
        dtype = str(values.dtype)
        name: str = self.writer.addPlaceholder(list(values.shape), self.kind(dtype)).name
        self.shapes[name] = values.shape
        return name

    def constant(self, values: np.ndarray, dtype: str = "") -> str:
        kind = self.kind(dtype or str(values.dtype))
        made = self.writer.addConst(list(values.shape), kind, np.ascontiguousarray(values))
        return str(getattr(made, "name", made))

    def sizes(self, values: list[int]) -> str:
        made = self.writer.addConst([len(values)], self.tosa.DType.SHAPE, values)
        return str(getattr(made, "name", made))

    def scalar(self, value: int, dtype: str) -> str:
        return self.constant(np.array([value], dtype))

    def add(
        self,
        op: str,
        inputs: list[str],
        shape: tuple[int, ...],
        dtype: str,
        settings: dict[str, Any] | None = None,
        attribute: str = "",
        last: bool = False,
    ) -> str:
        made = self.tosa.TosaSerializerAttribute()
        getattr(made, f"{attribute}Attribute")(**(settings or {}))
        place = self.writer.addOutput if last else self.writer.addIntermediate
        name: str = place(list(shape), self.kind(dtype)).name
        self.shapes[name] = tuple(shape)
        self.writer.addOperator(getattr(self.tosa.Op, op), inputs, [name], made)
        return name

    def rescale(
        self,
        name: str,
        dtypes: tuple[str, str],
        constants: dict[str, np.ndarray],
        zeros: tuple[int, int] = (0, 0),
        last: bool = False,
        double: bool | None = None,
    ) -> str:
        """RESCALE from one dtype to another; of several multipliers one per channel, the last axis."""
        modes = self.tosa.RoundingMode
        twice = self.double if double is None else double
        inputs = [
            name,
            self.constant(constants["multiplier"].astype(np.int32)),
            self.constant(constants["shift"].astype(np.int8)),
            self.scalar(zeros[0], dtypes[0]),
            self.scalar(zeros[1], dtypes[1]),
        ]
        settings = {
            "scale32": True,
            "rounding_mode": modes.DOUBLE_ROUND if twice else modes.SINGLE_ROUND,
            "per_channel": constants["multiplier"].size > 1,
            "input_unsigned": dtypes[0] == "uint8",
            "output_unsigned": dtypes[1] == "uint8",
        }
        return self.add("RESCALE", inputs, self.shapes[name], dtypes[1], settings, "Rescale", last)

    def whole(self, name: str, dtype: str, zero: int) -> str:
        """int32 without the zero point."""
        return self.rescale(name, (dtype, "int32"), ONE, (zero, 0), double=False)

    def narrowed(self, name: str) -> str:
        """int32 of an accumulator of 48 bits: RESCALE takes those with 16 bits of multiplier only."""
        inputs = [
            name,
            self.constant(np.array([1 << 14], np.int16)),
            self.constant(np.array([14], np.int8)),
            self.constant(np.zeros(1, np.int64), "int48"),
            self.scalar(0, "int32"),
        ]
        settings = {
            "scale32": False,
            "rounding_mode": self.tosa.RoundingMode.SINGLE_ROUND,
            "per_channel": False,
            "input_unsigned": False,
            "output_unsigned": False,
        }
        return self.add("RESCALE", inputs, self.shapes[name], "int32", settings, "Rescale")

    def run(self, dtype: str) -> np.ndarray:
        import tosa_reference_model as reference

        outputs, status = reference.run(self.writer.serialize(), self.inputs)
        assert status == reference.GraphStatus.TOSA_VALID, status
        found: np.ndarray = outputs[0]
        return found if found.dtype == dtype else found.view(dtype)


ONE = {"multiplier": np.array([1 << 30]), "shift": np.array([30])}
"""RESCALE by one."""


def constants_of(graph: IntegerGraph, node: Node, prefix: str = "") -> dict[str, np.ndarray]:
    """Multiplier and shift of a node."""
    return {
        role: graph.constants[node.constants[prefix + role]] for role in ("multiplier", "shift")
    }


def last_axis(values: np.ndarray) -> np.ndarray:
    """Images with their channels last; other tensors as they are."""
    return values.transpose(0, 2, 3, 1) if values.ndim == 4 else values


def first_axis(values: np.ndarray) -> np.ndarray:
    return values.transpose(0, 3, 1, 2) if values.ndim == 4 else values


def zeros_of(case: Case) -> tuple[int, int]:
    return case.sources[0].zero_point, case.target.zero_point
