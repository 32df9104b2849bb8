"""quantized: a module of the model with fake-quantizers at its operands, its weight, its output.

The class is made from the module's own: address, parameters and state-dict names stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import count
from sys import getrefcount
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.float_functional import FloatFunctional
from qflow.quantization.key_names import INPUT, OUTPUT, WEIGHT
from qflow.quantization.unshared import unshared, unwatched
from qflow.tracing.fused import Fused
from qflow.tracing.recast import recast

_PASSES = "_output_passes"


class Quantized:
    """Mixed into the class of a module: operands and output pass their fake-quantizers."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        operands = vars(self)["_modules"].get(INPUT)
        if operands is not None:
            args, kwargs = _on_grids(dict(operands.items()), args, kwargs)
        y = super().forward(*args, **kwargs)  # type: ignore[misc]
        quantizer = output_quantizer(self)
        if quantizer is None:
            return y
        if quantizer.observing and not quantizer.quantizing and self.training:  # type: ignore[attr-defined]
            raise fail(_training(quantizer.address))
        if quantizer.quantizing and not torch.compiler.is_compiling():
            # memory that is not asked for need not be found and cleared
            references = getrefcount(y)
            if unshared(y, references) and unwatched(quantizer) and y.is_floating_point():
                return quantizer(y, overwrite=True)
        return _each_float(quantizer, y)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # the class exists nowhere by name; its base does
        base = type(self).__bases__[-1]
        return _made_anew, (base,), self.__dict__


class QuantizedGemm(Quantized):
    """Also puts the fake-quantized weight in place of the weight."""

    def rounded(self, weight: Tensor) -> Tensor:
        quantizer = vars(self)["_modules"].get(WEIGHT)
        return weight if quantizer is None else quantizer(weight)


class QuantizedFunctional(Quantized):
    """A FloatFunctional: what its methods return passes the fake-quantizer."""

    def passed(self, y: Tensor) -> Tensor:
        quantizer = output_quantizer(self)
        return y if quantizer is None else quantizer(y)


def quantized(
    module: nn.Module,
    output: FakeQuantize | None = None,
    weight: FakeQuantize | None = None,
    passes: FakeQuantize | None = None,
    operands: Mapping[int, FakeQuantize] = MappingProxyType({}),
) -> nn.Module:
    """The module with fake-quantizers as its children.

    `passes` is what the output goes through: `output`, or the fake-quantizer of the address that
    owns the scale, or nothing where the inputs lie on the grid already. `operands` are numbered as
    the tensors stand in the call.
    """
    made: nn.Module = recast(module, class_of(type(module)))
    if output is not None:
        made.add_module(OUTPUT, output)
    if weight is not None:
        made.add_module(WEIGHT, weight)
    if operands:
        held = {str(slot): operands[slot] for slot in sorted(operands)}
        made.add_module(INPUT, nn.ModuleDict(held))
    # in a tuple, so that another's is not registered as a child here: it has one name
    vars(made)[_PASSES] = (OUTPUT,) if passes is output else (passes,)
    return made


def output_quantizer(module: Any) -> FakeQuantize | None:
    """What an output passes: its own fake-quantizer or that of its scale group's owner."""
    (passes,) = vars(module)[_PASSES]
    found = vars(module)["_modules"].get(OUTPUT) if passes == OUTPUT else passes
    return found  # type: ignore[no-any-return]


def _on_grids(grids: Mapping[str, nn.Module], args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments with every tensor that has a grid on it; tensors count as in the graph."""
    slots = count()

    def brought(value: Any) -> Any:
        if isinstance(value, Tensor):
            grid = grids.get(str(next(slots)))
            return value if grid is None or not value.is_floating_point() else grid(value)
        if isinstance(value, dict):
            return {key: brought(part) for key, part in value.items()}
        if type(value) in (tuple, list):
            return type(value)(brought(part) for part in value)
        return value

    return brought(args), brought(kwargs)


def _training(address: str) -> Diagnostic:
    return Diagnostic(
        "QF242",
        f"`{address}` is in the state CALIBRATION, but its module is in training mode",
        help="call `model.eval()`, then set CALIBRATION: dropout and batch norms must not train",
    )


def _each_float(quantizer: FakeQuantize, y: Any) -> Any:
    """The float tensors of a result, which may be a tuple, through one fake-quantizer."""
    if isinstance(y, Tensor):
        return quantizer(y) if y.is_floating_point() else y
    if isinstance(y, (tuple, list)):
        parts = [_each_float(quantizer, part) for part in y]
        # a named tuple takes its parts one by one; those of torch, as of `max`, all in one
        return type(y)(*parts) if hasattr(y, "_fields") else type(y)(parts)
    return y


@cache
def class_of(base: type) -> type[Any]:
    """The class of a module with fake-quantizers; `base` is that of the same module without."""
    mixin: type = Quantized
    if issubclass(base, Fused):
        mixin = QuantizedGemm
    if issubclass(base, FloatFunctional):
        mixin = QuantizedFunctional
    fields = {"stands_for": getattr(base, "stands_for", base)}
    return type(f"Quantized{base.__name__.removeprefix('Fused')}", (mixin, base), fields)


def _made_anew(base: type) -> nn.Module:
    cls = class_of(base)
    return cls.__new__(cls)  # type: ignore[no-any-return]
