"""pad: more rows and columns around a tensor, of zeros or of what stands at its edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import (
    MOVED,
    ROUNDED,
    Call,
    Constant,
    Example,
    Fast,
    Op,
    Range,
    Unsupported,
    form,
)
from qflow.emulation.ops import _codes
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

MODES = ("constant", "reflect", "replicate", "circular")
_KINDS = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}


class Pad(Op):
    """Attributes: sides (as torch has them, last axis first), mode, value.

    The value lies on the grid of the operand: what is outside its range becomes its end.
    """

    name = "pad"
    role = "shape"
    shares_scale = True
    fields = form(sides="offsets", mode="word")
    within = ROUNDED
    keeps_type = True
    reads = MOVED
    writes = MOVED
    modules = tuple(
        f"torch.nn.{kind}Pad{n}d"
        for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
        for n in (1, 2, 3)
    )
    functions = ("torch.nn.functional.pad",)
    examples = (
        Example(
            ((2, 3, 4, 5),),
            {"sides": (1, 2, 0, 1), "mode": "constant", "value": 0.0},
            written=(
                "F.pad(x, (1, 2, 0, 1))",
                "F.pad(x, [1, 2, 0, 1], value=0)",
                "nn.ZeroPad2d((1, 2, 0, 1))",
            ),
        ),
        Example(
            ((2, 3, 4, 5),),
            {"sides": (1, 1, 1, 1), "mode": "reflect", "value": 0.0},
            written=("F.pad(x, (1, 1, 1, 1), 'reflect')", "nn.ReflectionPad2d(1)"),
        ),
        Example(
            ((2, 3, 4, 5),),
            {"sides": (1, 1, 1, 1), "mode": "constant", "value": 0.5},
            written=("F.pad(x, (1, 1, 1, 1), 'constant', 0.5)", "nn.ConstantPad2d(1, 0.5)"),
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        name = type(module).__name__
        mode = next((m for word, m in _KINDS.items() if name.startswith(word)), "constant")
        return _attributes(module.padding, mode, getattr(module, "value", 0.0))

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        sides = argument(args, kwargs, 1, "pad", ())
        mode = argument(args, kwargs, 2, "mode", "constant")
        return _attributes(sides, mode, argument(args, kwargs, 3, "value", None) or 0.0)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import pad

        a = node.attributes
        value = a["value"] if a["mode"] == "constant" else None
        return pad(operands[0], a["sides"], a["mode"], value)

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return _padded(attributes, operands[0], attributes["value"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        (source,) = rearrange.on_one_grid(node, build, (0,))
        before = build.types[source]
        if before.axis is not None:
            raise Unsupported("its operand has a scale per channel")
        output = rearrange.moved(before, self.shape(a, [before.shape]))
        filled = _codes.constant(_codes.code(a["value"], output, node, build), output)
        fields = {n: a[n] for n in ("sides", "mode")}
        build.emit(node, "pad", (source,), output, fields, {"value": filled})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, sides, mode = tuple(shapes[0]), attributes["sides"], attributes["mode"]
        around = _around(sides, len(shape))
        found = tuple(s + sum(a) for s, a in zip(shape, around, strict=True))
        most = {"reflect": -1, "circular": 0}.get(mode)
        for size, ends in zip(shape, around, strict=True):
            if mode not in MODES or (mode != "constant" and min(ends) < 0):
                raise Unsupported(f"mode = {mode!r} with sides {sides}")
            if most is not None and max(ends) > size + most:
                raise Unsupported(f"sides {sides} are too many for a tensor {shape}, {mode!r}")
            if size + min(*ends, 0) < 1:
                raise Unsupported(f"sides {sides} leave nothing of a tensor {shape}")
        return found

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {"value": _codes.role(call.node.output)}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        value = int(call.constants["value"][0])
        return min(ranges[0][0], value), max(ranges[0][1], value)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _padded(call.node.attributes, operands[0], int(call.constants["value"][0]))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import pad

        a, value = call.node.attributes, int(call.constants["value"][0])
        if a["mode"] == "constant":
            return Fast(lambda x: pad(x, a["sides"], value=value))
        around = _around(a["sides"], len(call.sources[0].shape))

        def run(x: Tensor) -> Tensor:
            for axis, (before, after) in enumerate(around):
                if before or after:
                    x = x.index_select(axis, _places(x.shape[axis], before, after, a["mode"], x))
            return x

        return Fast(run)


def _around(sides: tuple[int, ...], rank: int) -> list[tuple[int, int]]:
    """Per axis what comes before and behind it. Raises Unsupported for sides of other axes."""
    if len(sides) % 2 or len(sides) > 2 * rank:
        raise Unsupported(f"sides {sides} do not fit {rank} axes")
    pairs = [(sides[i], sides[i + 1]) for i in range(0, len(sides), 2)]
    return [(0, 0)] * (rank - len(pairs)) + pairs[::-1]


def _padded(attributes: Mapping[str, Any], x: np.ndarray, value: float) -> np.ndarray:
    around = _around(attributes["sides"], x.ndim)
    if attributes["mode"] != "constant":
        names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
        return np.pad(x, around, mode=names[attributes["mode"]])
    kept = tuple(
        slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(around, x.shape, strict=True)
    )
    grown = [(max(a, 0), max(b, 0)) for a, b in around]
    return np.pad(x[kept], grown, constant_values=value)


def _places(size: int, before: int, after: int, mode: str, like: Tensor) -> Tensor:
    """Of every place of the padded axis the place its value comes from."""
    import torch

    places = torch.arange(-before, size + after, device=like.device)
    if mode == "replicate":
        return places.clamp(0, size - 1)
    if mode == "circular":
        return places % size
    return size - 1 - (size - 1 - places.abs()).abs()


def _attributes(sides: Any, mode: str, value: float) -> Mapping[str, Any]:
    if mode not in MODES or not all(isinstance(s, int) for s in sides):
        raise Unsupported(f"pad = {sides!r}, mode = {mode!r}: whole numbers and a known mode")
    return {"sides": tuple(sides), "mode": mode, "value": float(value)}
