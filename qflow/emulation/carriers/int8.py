"""int8: products of 8-bit operands and weights, with the rescale in the same kernel where proved.

A channel whose levels (see `levels`) the kernel's own float32 formula meets (see `affine`) leaves
the kernel as finished integers. The others are computed once more, their accumulators as float32,
and rescaled by the profile's exact rule. A layer that adds a residual, or has too many such
channels, takes that way altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.carriers import onednn
from qflow.emulation.carriers.affine import CANDIDATES, Affine, affine
from qflow.emulation.carriers.channels import put
from qflow.emulation.carriers.feed import Feed, feed
from qflow.emulation.carriers.kernel_test import is_exact
from qflow.emulation.carriers.levels import Levels, levels
from qflow.emulation.carriers.onednn import Clamp, Geometry
from qflow.emulation.carriers.patches import are_cut, cut, weight_of_rows
from qflow.emulation.carriers.residual import join
from qflow.emulation.gemm import shaped
from qflow.emulation.op import BYTES, Call, Fast, Range
from qflow.emulation.profile import saturate
from qflow.emulation.runtimes._blocks import blockwise

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.carriers.finish import Finish

MOST_AGAIN = 0.25
"""Part of the channels that may be computed a second time."""
SEVERAL = "accumulators leave the kernel"
ONE_PASS = f"{SEVERAL}, one compiled pass rescales them"
FEW_TRIES = 40
"""Where a pass behind the kernel is cheap, a proof is not worth a longer search."""
INT32 = (1 << 31) - 1
FLOAT32 = 1 << 24
"""float32 holds every integer up to here."""


@dataclass(frozen=True)
class Layer:
    """What is known of one layer before its kernels are made."""

    call: Call
    feed: Feed
    bias: np.ndarray
    """int64 [channels]"""
    reach: tuple[np.ndarray, np.ndarray]
    """Least and greatest sum of products per channel, int64 [channels]."""
    geometry: Geometry
    patch: tuple[int, int] | None = None
    """Rows and columns of the patches that the operand is cut into."""

    def bring(self, x: Tensor) -> Tensor:
        """The operand as the kernel takes it."""
        return self.feed.bring(cut(x, *self.patch) if self.patch else x)

    @property
    def most(self) -> int:
        """Largest magnitude of a sum of products."""
        return int(max(-self.reach[0].min(), self.reach[1].max()))

    @property
    def largest(self) -> int:
        """Largest magnitude of a weight."""
        return int(np.abs(self.feed.weight.astype(np.int64)).max())

    @property
    def most_with_bias(self) -> int:
        return self.most + int(np.abs(self.bias).max())

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.call.node.attributes

    @property
    def clamp(self) -> Clamp:
        return Clamp(self.call.node.output.dtype, self.attributes["low"], self.attributes["high"])


def int8(
    call: Call, ranges: Sequence[Range], device: Any, geometry: Geometry, finish: Finish
) -> Fast | None:
    """The layer on images of centred integers, or None where it cannot run so.

    `ranges` are those of the operands without their zero points.
    """
    weight = call.constants["weight"]
    if device.type != "cpu" or weight.dtype != np.int8 or not onednn.is_there():
        return None
    layer = _layer(call, ranges[0], geometry)
    if layer is None or layer.most > INT32 or not is_exact(layer.feed, geometry.groups):
        return None
    added = _reach_of_residual(layer, ranges)
    steps = _levels(layer, added)
    if steps is None or layer.attributes["residual"]:
        if not _fits_float32(layer, steps, added):
            return None
        return _raw(layer, *_end(layer, steps, ranges, finish))
    one_pass = finish.in_one_pass(None, layer.most_with_bias) is not None
    found = affine(steps, layer.bias, FEW_TRIES if one_pass else len(CANDIDATES))
    again = np.flatnonzero(~found.proved)
    if not again.size:
        return _finished(layer, found)
    if not _fits_float32(layer, steps, 0):
        return None
    if one_pass:
        return _raw(layer, finish(None, layer.most_with_bias), ONE_PASS)
    # some channels of a grouped layer are no layer of as many groups
    if geometry.groups > 1 or len(again) > MOST_AGAIN * len(layer.bias):
        return _raw(layer, finish(None, layer.most_with_bias), SEVERAL)
    return _finished_but(layer, found, again, finish)


def _layer(call: Call, values: Range, geometry: Geometry) -> Layer | None:
    weight = call.constants["weight"]
    images = weight.reshape(*weight.shape, *(1,) * (4 - weight.ndim))
    patch = None
    if are_cut(images, geometry):
        patch, images = images.shape[2:], weight_of_rows(images)
        geometry = replace(geometry, stride=(1, 1))
    fed = feed(images, values, geometry.groups)
    if fed is None:
        return None
    taps = weight.reshape(len(weight), -1).astype(np.int64)
    low, high = min(values[0], 0), max(values[1], 0)  # padding adds zeros
    ends = taps * low, taps * high
    reach = np.minimum(*ends).sum(1), np.maximum(*ends).sum(1)
    bias = call.constants["bias"].astype(np.int64)
    return Layer(call, fed, bias, reach, replace(geometry, zero=fed.zero), patch)


def _finished(layer: Layer, found: Affine) -> Fast:
    """The kernel gives the output."""
    weight, bring = layer.feed.weight, layer.bring
    kernel = onednn.convolution(weight, found.scale, found.offset, layer.geometry, layer.clamp)
    return _fast(layer, lambda x: kernel(bring(x)), "rescaled in the kernel")


def _finished_but(layer: Layer, found: Affine, again: np.ndarray, finish: Finish) -> Fast:
    """The kernel gives the output of all channels except `again`, which are computed exactly."""
    import torch

    weight, bring = layer.feed.weight, layer.bring
    kernel = onednn.convolution(weight, found.scale, found.offset, layer.geometry, layer.clamp)
    sums = _sums(layer, again)
    end = finish(again, layer.most_with_bias)
    places = torch.from_numpy(again)

    def run(x: Tensor) -> Tensor:
        fed = bring(x)
        result = kernel(fed)
        put(result, places, end(sums(fed)))
        return result

    said = f"rescaled in the kernel but for {len(again)} of {len(layer.bias)} channels"
    return _fast(layer, run, said)


def _raw(layer: Layer, end: Callable[..., Tensor], said: str) -> Fast:
    """The kernel gives accumulators."""
    bring, sums = layer.bring, _sums(layer, np.arange(len(layer.bias)))
    return _fast(layer, lambda x, *added: end(sums(bring(x)), *added), said)


def _fast(layer: Layer, run: Callable[..., Tensor], said: str) -> Fast:
    fed = layer.feed
    pairs = "32-bit sums" if onednn.has_wide_sums() else "two products fit 16 bits"
    why = f"up to {fed.most} times {layer.largest}: {pairs}; {said}"
    return Fast(run, fed.name, layer.most, why)


def _end(
    layer: Layer, steps: Levels | None, ranges: Sequence[Range], finish: Finish
) -> tuple[Callable[..., Tensor], str]:
    most = layer.most_with_bias
    if finish.in_one_pass(None, most) is not None:
        return finish(None, most), ONE_PASS
    # `join` knows of one saturation, that of the sum
    saturates = most >= 1 << (layer.attributes["accumulator_bits"] - 1)
    if steps is not None and layer.attributes["residual"] and not saturates:
        columns = shaped(layer.call.constants, (-1, 1))
        found = join(layer.call, columns, ranges[-1], steps, lambda some: finish(some, most))
        if found is not None:
            return blockwise(found), SEVERAL
    return finish(None, most), SEVERAL


def _sums(layer: Layer, channels: np.ndarray) -> onednn.Kernel:
    """Accumulators of some channels as float32."""
    geometry, ones = layer.geometry, np.ones(len(channels), np.float32)
    offset = layer.bias[channels].astype(np.float32)
    return onednn.convolution(layer.feed.weight[channels], ones, offset, geometry, None)


def _fits_float32(layer: Layer, steps: Levels | None, added: int) -> bool:
    """Whether accumulators may be float32, with a residual of magnitude `added` to come.

    They may be rounded where they are larger than every level: rounding keeps their order.
    """
    margin = added + int(np.abs(layer.bias).max())
    if layer.most + margin < FLOAT32:
        return True
    return steps is not None and int(np.abs(steps.first).max()) + 1 + margin < FLOAT32


def _reach_of_residual(layer: Layer, ranges: Sequence[Range]) -> int:
    if not layer.attributes["residual"]:
        return 0
    largest = max(abs(ranges[-1][0]), abs(ranges[-1][1]))
    return layer.call.profile.residual_bound(layer.call.constants, largest)


def _levels(layer: Layer, added: int) -> Levels | None:
    """The steps from a sum, its bias and a residual up to `added` in it, to an output of 8 bits."""
    call = layer.call
    if call.node.output.dtype not in BYTES or layer.clamp.low == layer.clamp.high:
        return None
    if layer.attributes["residual"] and not call.profile.adds_in_accumulator:
        return None
    columns = shaped(call.constants, (-1, 1))
    bits = layer.attributes["accumulator_bits"]
    low, high = layer.reach[0] + layer.bias - added, layer.reach[1] + layer.bias + added

    def rule(acc: np.ndarray) -> np.ndarray:
        return call.profile.rescale(saturate(acc, bits), columns) + call.zero_point

    return levels(rule, low, high, layer.clamp.low, layer.clamp.high)
