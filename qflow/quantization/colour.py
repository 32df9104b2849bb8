"""colour: a finished model that was trained on RGB or BGR takes centred YUV, as a camera gives it.

The operator goes directly behind the input stub, in integers: a 1x1 convolution whose output lies
on the stub's trained grid. The stub that is new in front of it has scale 1: its integers are the
camera's, -128..127.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import qint8
from qflow.quantization.attach import OutputGrid, output_grid, set_output_grid
from qflow.quantization.colour_space import SWINGS, operator
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import OUTPUT
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.quantized import output_quantizer, quantized
from qflow.quantization.stubs import QuantStub
from qflow.tracing.call import call_of, set_call
from qflow.tracing.fused import FusedConv2d
from qflow.tracing.recast import set_module

OP = "centered_yuv2rgb"
CAMERA = "_camera"
"""Behind the stub's name: the stub in front of the operator."""
_UNITS = (1, 3)


class CenteredYuv2Rgb(FusedConv2d):
    """Centred YUV [N, 3, H, W] to (rgb - mean) / std, channels in the order of the training."""

    activation = None


def insert_centered_yuv2rgb(
    prepared: fx.GraphModule,
    *,
    swing: str,
    mean: float | Sequence[float],
    std: float | Sequence[float],
    input: str | None = None,
) -> fx.GraphModule:
    """A copy of a calibrated or trained model in evaluation mode that takes centred YUV images.

    `mean` and `std` are those that turned RGB 0..255 into what the model was trained on, one number
    or three in RGB order; `swing` is the camera's, `full` or `studio`. The operator takes over the
    scale of the stub behind `input` (the only input, or its name), and that of the new input is 1:
    it takes the whole numbers -128..127 of `rgb2centered_yuv`. Raises QflowError: QF292 for a model
    or an input it cannot go into, QF401 for a stub whose scale is not known, QF293 for numbers that
    are none.
    """
    return _inserted(prepared, "rgb", swing, mean, std, input)


def insert_centered_yuv2bgr(
    prepared: fx.GraphModule,
    *,
    swing: str,
    mean: float | Sequence[float],
    std: float | Sequence[float],
    input: str | None = None,
) -> fx.GraphModule:
    """As `insert_centered_yuv2rgb`, for a model trained on BGR; `mean` and `std` in BGR order."""
    return _inserted(prepared, "bgr", swing, mean, std, input)


def _inserted(
    prepared: fx.GraphModule,
    order: str,
    swing: str,
    mean: float | Sequence[float],
    std: float | Sequence[float],
    input: str | None,
) -> fx.GraphModule:
    means, stds = _numbers("mean", mean), _numbers("std", std)
    if swing not in SWINGS:
        raise _wrong(f"there is no swing `{swing}`: it is {' or '.join(SWINGS)}")
    if any(s <= 0 for s in stds):
        raise _wrong("`std` must be above 0")
    if prepared.training:
        raise _nowhere("the model is in training mode", "call `eval()`: it is for finished models")
    module = deepcopy(prepared)
    stub = _stub(module, input)
    address = str(stub.target)
    trained = output_quantizer(module.get_submodule(address))
    if trained is None:
        raise _nowhere(f"`{address}` is not quantized", "insert it into a prepared model")
    if not trained.observed:
        raise fail(
            Diagnostic(
                "QF401",
                f"no data ever reached the observer of `{address}`",
                help="calibrate the model first: the operator takes over that scale",
            )
        )
    made = _operator(order, swing, means, stds)
    weight = _weight_grid(made[1], trained.rounding, address)
    own = module.get_submodule(address)._modules.get(OUTPUT)
    assert own is None or isinstance(own, FakeQuantize)
    set_module(module, address, quantized(made[0], own, weight, own if own else trained))
    _put_stub(module, stub, f"{address}{CAMERA}", trained.rounding)
    _rename(stub, swing, order)
    module.graph.lint()
    module.recompile()
    return module.eval()


def _operator(
    order: str, swing: str, mean: Sequence[float], std: Sequence[float]
) -> tuple[nn.Module, torch.Tensor]:
    """The 1x1 convolution and the steps of its weights per output."""
    numbers = operator(swing, order, mean, std)
    made: Any = CenteredYuv2Rgb(3, 3, 1)
    made.weight = nn.Parameter(torch.tensor(numbers.weight)[:, :, None, None], False)
    made.bias = nn.Parameter(torch.tensor(numbers.bias), False)
    return made, torch.tensor(numbers.scale)


def _weight_grid(scale: torch.Tensor, rounding: str, address: str) -> FakeQuantize:
    grid = FakeQuantize(
        dtype=qint8, axis=0, channels=3, rounding=rounding, address=f"{address}.weight"
    )
    reach = scale * 127
    grid.load_state_dict(
        {
            **grid.state_dict(),
            "scale": scale,
            "activation_post_process.min_val": -reach,
            "activation_post_process.max_val": reach,
        }
    )
    return grid


def _stub(module: fx.GraphModule, name: str | None) -> fx.Node:
    """The only reader of an input: a quant stub that nothing else runs through."""
    inputs = [n for n in module.graph.nodes if n.op == "placeholder"]
    chosen = [n for n in inputs if name in (None, str(n.target))]
    if len(chosen) != 1:
        names = ", ".join(f"`{n.target}`" for n in inputs)
        raise _nowhere(f"the model has the inputs {names}", "name one of them as `input`")
    readers = [n for n in chosen[0].users if n.op != "output"]
    calls = [call_of(n) for n in readers]
    if len(readers) != 1 or calls[0] is None or calls[0].op != "quant":
        what = f"`{chosen[0].target}` is read by {', '.join(f'`{n.target}`' for n in readers)}"
        raise _nowhere(what, "it goes directly behind a quant stub that alone reads the input")
    stub = readers[0]
    if sum(n.target == stub.target for n in module.graph.nodes) > 1:
        raise _nowhere(f"`{stub.target}` runs several times", "give each input its own stub")
    if len(calls[0].shape) != 4 or calls[0].shape[1] != 3:
        shape = list(calls[0].shape)
        raise _nowhere(f"`{chosen[0].target}` is {shape}", "an image is [N, 3, H, W]")
    return stub


def _put_stub(module: fx.GraphModule, node: fx.Node, address: str, rounding: str) -> None:
    """A stub of scale 1 in front of a node."""
    call = call_of(node)
    assert call is not None
    grid = FakeQuantize(Fixed(1.0), qint8, rounding=rounding, address=address)
    set_module(module, address, quantized(QuantStub(), output=grid, passes=grid))
    with module.graph.inserting_before(node):
        camera = module.graph.call_module(address, node.args)
    camera.meta = dict(node.meta)
    set_call(camera, replace(call, address=address, type="QuantStub"))
    set_output_grid(camera, OutputGrid(address, "int8"))
    node.args = (camera,)


def _rename(node: fx.Node, swing: str, order: str) -> None:
    """The stub's node runs the operator now; its grid stays what it was."""
    call = call_of(node)
    assert call is not None
    grid = output_grid(node)
    attributes = {"swing": swing, "order": order}
    changed = replace(
        call,
        type="CenteredYuv2Rgb",
        op=OP,
        attributes=attributes,
        shares_scale=False,
        detail=f"{swing} swing to {order}",
    )
    set_call(node, changed)
    set_output_grid(node, grid)


def _numbers(name: str, given: float | Sequence[float]) -> tuple[float, ...]:
    listed = (given,) if isinstance(given, (int, float)) else tuple(given)
    numbers = tuple(float(v) for v in listed)
    if len(numbers) not in _UNITS or any(v - v != 0 for v in numbers):
        raise _wrong(f"`{name}` must be one or three finite numbers, not {list(numbers)}")
    return numbers


def _nowhere(what: str, help_: str) -> Exception:
    message = f"no colour operator can go here: {what}"
    return fail(Diagnostic("QF292", message, help=help_))


def _wrong(message: str) -> Exception:
    return fail(Diagnostic("QF293", message))
