"""What leaky_relu and prelu share: one rescale from zero on, another one below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import _rescaled
from qflow.emulation.profile import Ratio, constants_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

BELOW = "below_"
"""Before the roles of the rescale below zero."""


def lower(node: PreparedNode, build: Builder, slopes: np.ndarray) -> None:
    """Emit a node; `slopes` is float64 [1] or [channels], along axis 1.

    A slope is the factor of a rescale of its own; its sign, 0 among them, is the constant `sign`.
    """
    source = build.operand(node, 0)
    output = build.output_type(node, source.shape, source.layout)
    constants = dict(build.profile.rescale_constants(Ratio((scale(source),), (scale(output),))))
    signs = np.sign(slopes).astype(np.int8)
    factors = np.where(signs == 0, 1.0, np.abs(slopes))
    below = [
        build.profile.rescale_constants(Ratio((scale(source),), (scale(output),), factor=float(f)))
        for f in factors
    ]
    constants |= {BELOW + role: np.concatenate([b[role] for b in below]) for role in below[0]}
    constants["sign"] = signs
    build.emit(node, node.op, node.inputs, output, build.clamp(node, output), constants)


def roles(call: Call) -> Mapping[str, Constant]:
    rescale = constants_of(call.profile, "rescale", ((1,),))
    slopes = call.constants["sign"].shape if "sign" in call.constants else (1,)
    rank, channels = len(call.node.output.shape), _channels(call)
    allowed = ((1,), (channels,)) if rank > 1 else ((1,),)
    below = {BELOW + role: replace(c, shapes=(slopes,)) for role, c in rescale.items()}
    return rescale | below | {"sign": Constant(("int8",), allowed, low=-1, high=1)}


def oracle(call: Call, operand: np.ndarray) -> np.ndarray:
    x = call.centred(0, operand)
    sign, below = _below(call)
    found = np.where(
        x >= 0,
        call.profile.rescale(x, _above(call)),
        call.profile.rescale(sign.astype(np.int64) * x, below),
    )
    attributes = call.node.attributes
    return np.clip(found + call.zero_point, attributes["low"], attributes["high"])


def fast(call: Call, ranges: Sequence[Range], device: Any) -> Fast:
    import torch

    from qflow.emulation.runtimes._blocks import blockwise

    bound, zero = _rescaled.reach(call, ranges), call.zero(0)
    signs, below = _below(call)
    sign = torch.from_numpy(signs.astype(np.float32)).to(device)
    above = _rescaled.finish(_with(call, _above(call)), bound, device)
    beneath = _rescaled.finish(_with(call, below), bound, device)

    def run(q: Tensor) -> Tensor:
        x = q.float() - zero if zero else q.float()
        return torch.where(x >= 0, above(x), beneath(x * sign))

    return Fast(blockwise(run), "float32", bound)


def _with(call: Call, constants: Mapping[str, np.ndarray]) -> Call:
    return replace(call, constants=constants)


def _above(call: Call) -> dict[str, np.ndarray]:
    return {r: c for r, c in call.constants.items() if r != "sign" and not r.startswith(BELOW)}


def _below(call: Call) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The sign and the constants below zero, in shapes that broadcast along axis 1."""
    view = (-1,) + (1,) * max(len(call.node.output.shape) - 2, 0)
    found = {
        role.removeprefix(BELOW): c.reshape(view)
        for role, c in call.constants.items()
        if role.startswith(BELOW)
    }
    return call.constants["sign"].reshape(view), found


def _channels(call: Call) -> int:
    output = call.node.output
    return output.shape[-1 if output.layout == "nhwc" else min(1, len(output.shape) - 1)]
