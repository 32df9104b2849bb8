"""Masked attention of torch is calibrated as it is: what is hidden gets a score that a grid holds."""

import logging

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.quantization import FakeQuantState, prepare, set_fake_quantize, unobserved
from qflow.quantization.facts import facts_of


class Encoder(nn.Module):
    """Truth values say which positions are padding."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        return self.layers(x, src_key_padding_mask=padding)


class Decoder(nn.Module):
    """A buffer of minus infinity hides what comes later."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
        self.register_buffer("later", nn.Transformer.generate_square_subsequent_mask(4))

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        return self.layer(x, x, tgt_mask=self.later, memory_key_padding_mask=padding)


class Plain(nn.Module):
    """The function, with truth values that say what takes part."""

    def __init__(self) -> None:
        super().__init__()
        self.inward = nn.Linear(8, 24)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        q, k, v = self.inward(x).chunk(3, dim=-1)
        return functional.scaled_dot_product_attention(q, k, v, ~padding.unsqueeze(1))


@pytest.mark.parametrize("kind", [Encoder, Decoder, Plain])
def test_hidden_positions_stay_hidden(kind: type[nn.Module], caplog) -> None:
    torch.manual_seed(0)
    net = kind().eval()
    x = torch.randn(2, 4, 8)
    padding = torch.tensor([[False] * 4, [False, False, True, True]])
    with caplog.at_level(logging.WARNING, "qflow"):
        model = prepare(net, (x, padding), march="nash-m", out_dir=None)
    # truth values are no float operands
    assert not [m for m in caplog.messages if m.startswith("QF708")]
    facts = facts_of(model)
    assert "padding" in facts.whole_numbers
    with torch.no_grad():
        wanted = net(x, padding)
        torch.testing.assert_close(model(x, padding), wanted, rtol=1e-5, atol=1e-5)
        set_fake_quantize(model, FakeQuantState.CALIBRATION)
        model(x, padding)
        assert unobserved(model) == ()
        set_fake_quantize(model, FakeQuantState.VALIDATION)
        rounded = model(x, padding)
        assert (rounded - wanted).norm() < 0.2 * wanted.norm()
        other = x.clone()
        other[1, 2:] = other[1, :2]
        seen = model(other, padding)
    # the other sample, and what is not hidden, do not depend on what is
    assert torch.equal(seen[0], rounded[0])
    if kind is not Decoder:
        assert torch.equal(seen[1, :2], rounded[1, :2])
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(x, padding).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


class AddsTheSmallest(nn.Module):
    """A mask of zeros and the smallest float32 is added to scores."""

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        zero = torch.zeros((), dtype=x.dtype)
        mask = torch.where(visible.bool(), zero, torch.finfo(x.dtype).min)
        return (x @ x.transpose(-2, -1) + mask.unsqueeze(1)).softmax(-1)


def test_a_mask_of_the_smallest_float_is_said(caplog) -> None:
    x, visible = torch.randn(2, 4, 8), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    with caplog.at_level(logging.WARNING, "qflow"):
        model = prepare(AddsTheSmallest(), (x, visible), march="nash-m", out_dir=None)
    assert any(m.startswith("QF725") and "`_generated_where_0`" in m for m in caplog.messages)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x, visible)
    set_fake_quantize(model.train(), FakeQuantState.QAT)
    # it is coarse, but no infinity reaches an observer
    assert torch.isfinite(model(x, visible)).all()
