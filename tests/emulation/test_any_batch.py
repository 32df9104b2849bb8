"""Models whose batch moves, merges with other axes or is repeated run at any batch, in both runtimes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.diagnostics import QflowError
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.converted import Converted, convert, cosine
from tests.quantization.test_masks import AddsTheSmallest, Decoder, Encoder, Plain


def require_the_same(made: Converted, inputs: dict[str, Tensor], least: float = 0.99) -> None:
    """Both runtimes give one result, with the shapes of the fake-quantized model and near it."""
    given = made.given(inputs)
    keep = [n.id for n in made.graph.nodes if n.op != "input"]
    slow = oracle.run(made.graph, {k: v.numpy() for k, v in given.items()}, keep)
    quick = TorchRuntime(made.graph).run(given, keep)
    for name, value in slow.items():
        assert value.tobytes() == quick[name].contiguous().numpy().tobytes(), name
    for name, rounded in made.fake_quant(inputs).items():
        assert slow[name].shape == tuple(rounded.shape), name
        if slow[name].dtype == np.int32:
            assert np.mean(slow[name] == rounded.numpy()) > 0.9, name
        else:
            assert cosine(slow[name], rounded.numpy()) >= least, name


def at_every_batch(net: nn.Module, *args: Tensor, dtype: str = "int8") -> Converted:
    made = convert(net.eval(), args, {}, "generic", dtype)
    for batch in (1, 2, 5):
        samples = torch.arange(batch) % len(args[0])
        require_the_same(made, dict(zip(made.names, (x[samples] for x in args), strict=True)))
    return made


class Windows(nn.Module):
    """Attention in windows, as in Swin transformers, then the batch twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.qkv = nn.Linear(4, 12)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x).permute(0, 2, 3, 1)
        batch, rows, columns, width = x.shape
        windows = x.view(batch, rows // 3, 3, columns // 3, 3, width)
        windows = windows.permute(0, 1, 3, 2, 4, 5).reshape(-1, 9, width)
        count = windows.shape[0]
        qkv = self.qkv(windows).reshape(count, 9, 3, 2, 2).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        y = functional.scaled_dot_product_attention(query, key, value)
        y = y.transpose(1, 2).reshape(count, 9, width)
        y = y.view(-1, rows // 3, columns // 3, 3, 3, width).permute(0, 1, 3, 2, 4, 5)
        y = y.reshape(batch, rows, columns, width)
        return torch.cat([y, x], 0), functional.max_pool2d(y.permute(0, 3, 1, 2), 3, 2, 1)


@pytest.mark.parametrize("batch", [1, 2])
def test_windows_whatever_the_batch_of_the_example(batch: int) -> None:
    torch.manual_seed(0)
    at_every_batch(Windows(), torch.randn(batch, 3, 6, 6))


class Tokens(nn.Module):
    """Parameters once per sample, masks that are buffers, and parts of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.queries = nn.Embedding(3, 8)
        self.linear = nn.Linear(8, 8)
        self.register_buffer("mask", torch.tensor([True, False, True, False, False]))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        batch = x.shape[0]
        x = torch.cat([self.token.expand(batch, -1, -1), self.linear(x)], 1)
        hidden = x.masked_fill(self.mask[None, :, None], -0.5)
        chosen = torch.where(self.mask[:, None], hidden, 0.25)
        largest, _ = hidden.max(dim=1)
        top, _ = chosen.topk(2, dim=-1)
        one, other = torch.cat([hidden, hidden], dim=0).chunk(2, 0)
        both = torch.stack([hidden, chosen], 0).permute(1, 2, 3, 0).flatten(0, 1)
        queries = self.queries.weight.unsqueeze(0).repeat(batch, 1, 1)
        return (
            self.linear(torch.cat([hidden, queries], 1)),
            largest.clamp(-0.3, 0.4),
            top,
            torch.maximum(one, -other),
            functional.pad(chosen, (1, 2), value=0.3),
            both.amax(1),
        )


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_constants_are_stored_once(dtype: str) -> None:
    torch.manual_seed(0)
    made = at_every_batch(Tokens(), torch.randn(2, 4, 8), dtype=dtype)
    stored = {n.address: n for n in made.graph.nodes if n.op == "constant"}
    shapes = sorted(n.attributes["shape"] for n in stored.values())
    assert shapes == [(1, 1, 8), (1, 3, 8), (1, 5, 1), (5, 1)]
    once = [n for n in stored.values() if n.inputs]
    assert all(n.inputs == ("x",) for n in once)
    assert len(once) == 2


@pytest.mark.parametrize("kind", [Encoder, Decoder, Plain, AddsTheSmallest])
def test_masks_of_truth_values_are_inputs(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    x, padding = torch.randn(2, 4, 8), torch.tensor([[False] * 4, [False, False, True, True]])
    made = at_every_batch(kind(), x, padding)
    assert made.prepared.outside == ()
    assert made.graph.by_id[made.names[1]].output.dtype == "int32"


class Places(nn.Module):
    """Outputs that hold whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y = self.conv(x)
        return y, y.argmax(1), y.flatten(1).topk(3)[1], y.min(2)[1]


def test_indices_leave_as_whole_numbers() -> None:
    torch.manual_seed(0)
    # finer steps: of int8 values many are equal, and a rounding decides which comes first
    made = at_every_batch(Places(), torch.randn(2, 3, 6, 6), dtype="int16")
    types = [made.graph.by_id[i].output for _, i in made.graph.outputs]
    assert [t.dtype for t in types] == ["float32", "int32", "int32", "int32"]


def test_parts_that_nothing_reads_are_not_there() -> None:
    class First(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.split(2, dim=1)[1]

    made = at_every_batch(First(), torch.randn(2, 5, 3))
    assert [n.op for n in made.graph.nodes] == ["input", "quantize", "slice", "dequantize"]


class Words(nn.Module):
    """Token numbers, and a mask made of them."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(6, 8)
        self.places = nn.Embedding(4, 8)
        self.register_buffer("order", torch.arange(4)[None])

    def forward(self, ids: Tensor) -> Tensor:
        x = self.words(ids) + self.places(self.order)
        hidden = (ids == 0)[:, None, :] & (ids[:, None, :] != ids[:, :, None])
        return (x @ x.transpose(1, 2)).masked_fill(hidden, -50.0).softmax(-1) @ x


def test_what_whole_numbers_choose_belongs_to_the_integer_model() -> None:
    torch.manual_seed(0)
    ids = torch.tensor([[1, 2, 0, 0], [5, 4, 3, 0]])
    made = at_every_batch(Words(), ids)
    assert [n.op for n in made.graph.nodes if n.op == "input"] == ["input"]
    assert {n.op for n in made.graph.nodes} >= {"logic", "embedding", "constant", "masked_fill"}
    for wrong in (-1, 6):
        with pytest.raises(QflowError, match=f"QF313.*6 rows.*row {wrong}"):
            oracle.run(made.graph, {"ids": np.full((1, 4), wrong)})
        with pytest.raises(QflowError, match=f"QF313.*6 rows.*row {wrong}"):
            TorchRuntime(made.graph).run({"ids": torch.full((1, 4), wrong)})


def test_a_constant_that_follows_the_number_of_samples_is_refused() -> None:
    class Counts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.arange(x.shape[0])[:, None].float()

    with pytest.raises(QflowError, match=r"QF502.*number of samples"):
        convert(Counts(), (torch.randn(2, 3),), {}, "generic", "int8")
