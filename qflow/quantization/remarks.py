"""remarks: what a person should look at in the qconfig of one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qflow.quantization.layers import FLOAT, Layer

AVERAGING = 0.01
"""The usual averaging constant; another one is worth a look."""
FEEDING_FLOAT = ("relu", "relu6", "add", "batch_norm")
"""Readers that may take a convolution's float output: the march could not fuse them."""
_STUBS = ("quant", "dequant", "input", "output")


def remarks(layer: Layer, producers: dict[str, Layer]) -> tuple[str, ...]:
    """Everything about a layer that may not be what was meant; empty when all is usual."""
    return tuple(text for check in CHECKS for text in check(layer, producers))


def _fixed_scale(layer: Layer, _: dict[str, Layer]) -> Iterator[str]:
    if layer.act is not None and layer.act.fixed is not None:
        yield f"Fixed scale {layer.act.fixed:g}"


def _averaging(layer: Layer, _: dict[str, Layer]) -> Iterator[str]:
    constant = getattr(layer.act.observer, "averaging_constant", None) if layer.act else None
    if constant is not None and constant != AVERAGING:
        moves = "the scale never moves" if constant == 0 else f"usual is {AVERAGING}"
        yield f"averaging_constant {constant:g}: {moves}"


def _wide_weight(layer: Layer, _: dict[str, Layer]) -> Iterator[str]:
    if layer.weight is not None and str(layer.weight.dtype) == "int16":
        yield "qint16 weight!!!"


def _other_output(layer: Layer, _: dict[str, Layer]) -> Iterator[str]:
    given = {d for d in layer.inputs if d}
    if layer.op in _STUBS or not given or layer.output in ("", "int32"):
        return
    if given != {layer.output}:
        listed = ", ".join(shown(d) for d in layer.inputs)
        yield f"input dtype [{listed}] is not same with out dtype {shown(layer.output)}"


def _mixed_inputs(layer: Layer, _: dict[str, Layer]) -> Iterator[str]:
    if len({d for d in layer.inputs if d}) > 1:
        yield f"mixed precision inputs [{', '.join(shown(d) for d in layer.inputs)}]"


def _no_qconfig(layer: Layer, _: dict[str, Layer]) -> Iterator[str]:
    if layer.op in _STUBS or layer.quantized or not layer.inputs:
        return
    if any(d not in (FLOAT, "") for d in layer.inputs):
        yield "this op has no qconfig: its output is not quantized"


def _compute(layer: Layer, producers: dict[str, Layer]) -> Iterator[str]:
    """Stubs read the other side; a gemm, and what else has a grid, must not read float."""
    for source, dtype in zip(layer.sources, layer.inputs, strict=False):
        maker = producers.get(source)
        if layer.op == "quant" and dtype not in (FLOAT, ""):
            yield f"redundant QuantStub: `{source}` is {shown(dtype)} already"
        if layer.op in _STUBS or dtype != FLOAT or not layer.quantized:
            continue
        if maker is not None and maker.weight is not None and layer.op in FEEDING_FLOAT:
            continue
        width = f"*{shown(str(layer.weight.dtype))}" if layer.weight else ""
        kind = "compute type" if layer.weight else "input"
        yield f"abnormal {kind} {layer.op} {FLOAT}{width}: `{source}` is not quantized"


def shown(dtype: str) -> str:
    """As the field writes it: `qint8`, `torch.float32`."""
    if not dtype:
        return "unknown"
    return f"torch.{dtype}" if dtype.startswith("float") else f"q{dtype}"


CHECKS: tuple[Callable[[Layer, dict[str, Layer]], Iterator[str]], ...] = (
    _fixed_scale,
    _averaging,
    _wide_weight,
    _other_output,
    _mixed_inputs,
    _no_qconfig,
    _compute,
)
