"""Operands arranged for int8 kernels: exact sums, and a wrong arrangement is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from qflow.emulation.carriers import onednn, pairs
from qflow.emulation.carriers.feed import Feed, feed
from qflow.emulation.carriers.kernel_test import is_exact
from qflow.emulation.carriers.onednn import Geometry
from tests.emulation.carriers.test_pairs import weights

pytestmark = [
    pytest.mark.skipif(
        not onednn.is_there() or onednn.has_wide_sums(), reason="sums are wide here, or not there"
    ),
    pytest.mark.usefixtures("both_paths"),
]
SIGNED = (-128, 127)


def arranged(out: int = 64, channels: int = 48, sides: tuple[int, int] = (1, 1)) -> Feed:
    found = feed(weights("normal", (out, channels, *sides), 0), SIGNED, 1)
    assert found is not None
    assert found.order is not None
    return found


@pytest.mark.parametrize(("channels", "sides"), [(48, (1, 1)), (47, (1, 1)), (33, (3, 2))])
def test_sums_of_signed_operands(channels: int, sides: tuple[int, int]) -> None:
    found = arranged(64, channels, sides)
    assert is_exact(found, 1)
    random = np.random.default_rng(1)
    x = random.choice(np.array([-128, -127, -1, 0, 126, 127], np.int8), (3, channels, 9, 7))
    images = torch.from_numpy(x)
    ones, zeros = np.ones(64, np.float32), np.zeros(64, np.float32)
    kernel = onednn.convolution(found.weight, ones, zeros, Geometry(zero=found.zero), None)
    weight = torch.from_numpy(weights("normal", (64, channels, *sides), 0))
    assert torch.equal(kernel(found.bring(images)), conv2d(images.float(), weight.float()))


def test_neighbours_that_do_not_fit_are_seen() -> None:
    """One channel is enough, whichever it is."""
    found = arranged()
    for channel in (0, 17, 63):
        weight = found.weight.copy()
        weight[channel, 10:12] = 127
        assert not pairs.fit(weight, found.most)
        assert not is_exact(replace(found, weight=weight), 1)


def test_few_channels_of_half_the_size_need_no_order() -> None:
    halves = weights("normal", (8, 6, 1, 1), 0) // 2
    found = feed(halves, SIGNED, 1)
    assert found is not None
    assert (found.order, found.most) == (None, 255)
