"""quantized: a module of the model with fake-quantizers at its weight and its output.

The class is made from the module's own: address, parameters and state-dict names stay.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import Tensor, nn

from qflow.quantization.fake_quantize import FakeQuantize
from qflow.tracing.fused import Fused
from qflow.tracing.recast import recast

OUTPUT = "activation_post_process"
WEIGHT = "weight_fake_quant"
_PASSES = "_output_passes"


class Quantized:
    """Mixed into the class of a module: its output passes its fake-quantizer."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        y = super().forward(*args, **kwargs)  # type: ignore[misc]
        quantizer = output_quantizer(self)
        return y if quantizer is None else quantizer(y)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # the class exists nowhere by name; its base does
        base = type(self).__bases__[-1]
        return _made_anew, (base,), self.__dict__


class QuantizedGemm(Quantized):
    """Also puts the fake-quantized weight in place of the weight."""

    def rounded(self, weight: Tensor) -> Tensor:
        quantizer = vars(self)["_modules"].get(WEIGHT)
        return weight if quantizer is None else quantizer(weight)


def quantized(
    module: nn.Module,
    output: FakeQuantize | None = None,
    weight: FakeQuantize | None = None,
    passes: FakeQuantize | None = None,
) -> nn.Module:
    """The module with fake-quantizers as its children.

    `passes` is what the output goes through: `output`, or the fake-quantizer of the address that
    owns the scale, or nothing where the inputs lie on the grid already.
    """
    made: nn.Module = recast(module, class_of(type(module)))
    if output is not None:
        made.add_module(OUTPUT, output)
    if weight is not None:
        made.add_module(WEIGHT, weight)
    # in a tuple, so that another's is not registered as a child here: it has one name
    vars(made)[_PASSES] = (OUTPUT,) if passes is output else (passes,)
    return made


def output_quantizer(module: Any) -> FakeQuantize | None:
    """What an output passes: its own fake-quantizer or that of its scale group's owner."""
    (passes,) = vars(module)[_PASSES]
    found = vars(module)["_modules"].get(OUTPUT) if passes == OUTPUT else passes
    return found  # type: ignore[no-any-return]


@cache
def class_of(base: type) -> type[Any]:
    mixin = QuantizedGemm if issubclass(base, Fused) else Quantized
    return type(f"Quantized{base.__name__.removeprefix('Fused')}", (mixin, base), {})


def _made_anew(base: type) -> nn.Module:
    cls = class_of(base)
    return cls.__new__(cls)  # type: ignore[no-any-return]
