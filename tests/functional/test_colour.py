"""Colour functions: the numbers of the field, bit by bit; ranges; there and back; wrong use visible."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import Tensor

from qflow import functional
from qflow.diagnostics import QflowError
from qflow.functional import _images
from qflow.nn.bgr_to_yuv444 import BgrToYuv444


@pytest.fixture(autouse=True)
def say_anew() -> None:
    _images.say.cache_clear()


def lattice(step: int = 15) -> Tensor:
    """Every `step`-th colour, [1, 3, N, 1]."""
    v = torch.arange(0, 256, step)
    return torch.cartesian_prod(v, v, v).T[None, :, :, None].contiguous()


def whole_numbers(rgb: np.ndarray, swing: str) -> np.ndarray:
    """The formula in integers: a shift by 8 bits rounds down, and the sums are positive then."""
    r, g, b = (rgb[:, i].astype(np.int64) for i in range(3))
    if swing == "full":
        rows = (77 * r + 150 * g + 29 * b, -43 * r - 84 * g + 127 * b, 127 * r - 106 * g - 21 * b)
        offsets = (0, 128, 128)
    else:
        rows = (66 * r + 129 * g + 25 * b, -38 * r - 74 * g + 112 * b, 112 * r - 94 * g - 18 * b)
        offsets = (16, 128, 128)
    return np.stack([((x + 128) >> 8) + o for x, o in zip(rows, offsets, strict=True)], 1)


@pytest.mark.parametrize("swing", ["full", "studio"])
def test_forward_is_the_formula_in_integers(swing: str) -> None:
    rgb = lattice()
    expected = whole_numbers(rgb.numpy(), swing)
    for image in (rgb.float(), rgb.double(), rgb.to(torch.uint8), rgb.half()):
        yuv = functional.rgb2yuv(image, swing)
        assert np.array_equal(yuv.double().numpy(), expected)
        assert yuv.dtype == (image.dtype if image.is_floating_point() else torch.float32)
        assert torch.equal(functional.rgb2centered_yuv(image, swing), yuv - 128)
        assert torch.equal(functional.bgr2yuv(image.flip(1), swing), yuv)
        assert torch.equal(functional.bgr2centered_yuv(image.flip(1), swing), yuv - 128)


@pytest.mark.parametrize(
    ("swing", "low", "high"),
    [
        ("full", (-128, -127, -127), (127, 127, 127)),
        ("studio", (-112, -112, -112), (107, 112, 112)),
    ],
)
def test_ranges(swing: str, low: tuple[int, ...], high: tuple[int, ...]) -> None:
    yuv = functional.rgb2centered_yuv(lattice(), swing)
    assert yuv.amin((0, 2, 3)).tolist() == list(low)
    assert yuv.amax((0, 2, 3)).tolist() == list(high)


def test_grey_is_the_y_of_full_swing() -> None:
    rgb = lattice().float()
    grey = functional.rgb2gray(rgb)
    assert grey.shape[1] == 1
    assert torch.equal(grey, functional.rgb2yuv(rgb, "full")[:, :1])
    assert torch.equal(functional.rgb2centered_gray(rgb), grey - 128)
    assert torch.equal(functional.bgr2gray(rgb.flip(1)), grey)
    assert torch.equal(functional.bgr2centered_gray(rgb.flip(1)), grey - 128)


def test_channels_change_places() -> None:
    rgb = lattice().to(torch.uint8)
    assert torch.equal(functional.rgb2bgr(rgb)[:, 0], rgb[:, 2])
    assert torch.equal(functional.bgr2rgb(functional.rgb2bgr(rgb)), rgb)
    assert functional.rgb2bgr(rgb).dtype == torch.uint8


def test_images_without_a_batch() -> None:
    rgb = lattice().float()
    assert torch.equal(functional.rgb2yuv(rgb[0], "full"), functional.rgb2yuv(rgb, "full")[0])


@pytest.mark.parametrize(("swing", "most"), [("full", (3, 2, 4)), ("studio", (3, 2, 4))])
def test_there_and_back(swing: str, most: tuple[int, ...]) -> None:
    """In levels of 256: what the integer operator makes of the yuv of a colour."""
    rgb = lattice().float()
    yuv = functional.rgb2centered_yuv(rgb, swing)
    back = functional.centered_yuv2rgb(yuv, swing, 128.0, 128.0, 1 / 128) * 128 + 128
    apart = (back - rgb).abs()
    assert all(a <= m for a, m in zip(apart.amax((0, 2, 3)).tolist(), most, strict=True))
    assert apart.mean() < 1
    reversed_ = functional.centered_yuv2bgr(yuv, swing, 128.0, 128.0, 1 / 128) * 128 + 128
    assert torch.equal(reversed_.flip(1), back)


def test_the_wrong_swing_is_far_off() -> None:
    """What a person sees who trained on one and deploys on the other: not a small error."""
    rgb = lattice().float()
    yuv = functional.rgb2centered_yuv(rgb, "studio")
    back = functional.centered_yuv2rgb(yuv, "full", 128.0, 128.0, 1 / 128) * 128 + 128
    assert (back - rgb).abs().max() > 15


def test_mean_and_std_stand_in_the_order_of_the_result() -> None:
    yuv = functional.rgb2centered_yuv(lattice().float(), "full")
    mean, std = (10.0, 20.0, 30.0), (1.0, 2.0, 3.0)
    rgb = functional.centered_yuv2rgb(yuv, "full", mean, std, 2.0)
    bgr = functional.centered_yuv2bgr(yuv, "full", mean[::-1], std[::-1], 2.0)
    assert torch.allclose(bgr.flip(1), rgb)
    assert ((rgb / 2.0) % 1 == 0).all()


def test_a_swing_nobody_chose_is_full_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    rgb = lattice().float()
    with caplog.at_level(logging.WARNING, "qflow"):
        first = functional.rgb2yuv(rgb)
        functional.rgb2yuv(rgb)
        functional.rgb2gray(rgb)
        functional.rgb2yuv(rgb, swing="studio")
    assert torch.equal(first, functional.rgb2yuv(rgb, "full"))
    assert [r.getMessage()[:14] for r in caplog.records] == ["QF290 warning:"]
    assert "studio" in caplog.text


def test_defaults_of_the_operator_are_said(caplog: pytest.LogCaptureFixture) -> None:
    yuv = functional.rgb2centered_yuv(lattice().float(), "full")
    with caplog.at_level(logging.WARNING, "qflow"):
        functional.centered_yuv2rgb(yuv, "full")
        functional.centered_yuv2rgb(yuv, "full", mean=123.0)
    assert [r.getMessage()[:14] for r in caplog.records] == ["QF291 warning:"]


def test_what_is_no_image() -> None:
    for wrong in (torch.zeros(3), torch.zeros(2, 4, 4), torch.zeros(1, 4, 4, 3)):
        for function in (
            functional.rgb2yuv,
            functional.rgb2gray,
            functional.rgb2bgr,
            functional.centered_yuv2rgb,
        ):
            with pytest.raises(QflowError, match="QF293"):
                function(wrong)
    with pytest.raises(QflowError, match="QF293"):
        functional.rgb2yuv(torch.zeros(3, 2, 2), swing="half")


def test_nv12_has_one_u_and_v_per_four_pixels() -> None:
    rgb = torch.randint(0, 256, (2, 3, 6, 4), generator=torch.Generator().manual_seed(0)).float()
    out = BgrToYuv444(channel_reversal=True)(rgb)
    yuv = functional.rgb2yuv(rgb, "full")
    assert torch.equal(out[:, 0], yuv[:, 0])
    for row, column in ((0, 0), (2, 2), (4, 0)):
        block = yuv[:, 1:, row : row + 2, column : column + 2]
        mean = (block.mean((2, 3), keepdim=True) + 0.5).floor()
        assert torch.equal(out[:, 1:, row : row + 2, column : column + 2], mean.expand_as(block))
    assert torch.equal(BgrToYuv444()(rgb.flip(1)), out)
    plain = torch.full((1, 3, 2, 2), 77.0)
    assert torch.equal(BgrToYuv444()(plain), functional.bgr2yuv(plain, "full"))
    assert torch.equal(plain, torch.full((1, 3, 2, 2), 77.0))


def test_nv12_takes_even_images_only() -> None:
    for shape in ((1, 3, 3, 4), (1, 3, 4, 3), (3, 4, 4)):
        with pytest.raises(QflowError, match="QF293"):
            BgrToYuv444()(torch.zeros(shape))


def test_names_are_where_scripts_of_the_field_look() -> None:
    names = {"rgb2yuv", "bgr2yuv", "rgb2centered_yuv", "bgr2centered_yuv", "rgb2gray", "bgr2gray"}
    names |= {"rgb2centered_gray", "bgr2centered_gray", "rgb2bgr", "bgr2rgb"}
    names |= {"centered_yuv2rgb", "centered_yuv2bgr"}
    assert names <= set(dir(functional))
    assert all(callable(getattr(functional, n)) for n in names)
