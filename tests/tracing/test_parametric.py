"""Functions on parameters become the modules they are: gemms, norms, embeddings; ties stay."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.tracing import Traced, trace_call
from tests.tracing.test_example import follow, rows


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


CASES = {
    "linear": (lambda x, p: functional.linear(x, p.a), (2, 4), {"a": (3, 4)}, nn.Linear),
    "conv1d": (
        lambda x, p: functional.conv1d(x, p.a, p.b, 2, 1, 1, 2),
        (2, 4, 9),
        {"a": (6, 2, 3), "b": (6,)},
        nn.Conv1d,
    ),
    "conv2d": (
        lambda x, p: functional.conv2d(x, p.a, padding="same", dilation=2),
        (2, 4, 9, 9),
        {"a": (6, 4, 3, 3)},
        nn.Conv2d,
    ),
    "conv3d": (
        lambda x, p: functional.conv3d(x, p.a, bias=p.b),
        (1, 2, 4, 4, 4),
        {"a": (3, 2, 2, 2, 2), "b": (3,)},
        nn.Conv3d,
    ),
    "conv_transpose2d": (
        lambda x, p: functional.conv_transpose2d(x, p.a, p.b, 2, 1, 1),
        (2, 4, 5, 5),
        {"a": (4, 3, 3, 3), "b": (3,)},
        nn.ConvTranspose2d,
    ),
    "batch_norm": (
        lambda x, p: functional.batch_norm(x, p.m, p.v, p.a, p.b, False, 0.1, 1e-3),
        (2, 4, 5, 5),
        {"a": (4,), "b": (4,), "m": (4,), "v": (4,)},
        nn.BatchNorm2d,
    ),
    "layer_norm": (
        lambda x, p: functional.layer_norm(x, (4,), p.a, p.b, 1e-6),
        (2, 3, 4),
        {"a": (4,), "b": (4,)},
        nn.LayerNorm,
    ),
    "group_norm": (
        lambda x, p: functional.group_norm(x, 2, p.a, p.b),
        (2, 4, 5),
        {"a": (4,), "b": (4,)},
        nn.GroupNorm,
    ),
    "prelu": (lambda x, p: functional.prelu(x, p.a), (2, 4, 5), {"a": (4,)}, nn.PReLU),
}


@pytest.mark.parametrize("method", ["symbolic", "example"])
@pytest.mark.parametrize("name", CASES)
def test_a_function_on_parameters_is_a_module(name: str, method: str) -> None:
    call, shape, parameters, cls = CASES[name]

    class Calls(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for key, size in parameters.items():
                value = drawn(*size)
                if key in "mv":
                    self.register_buffer(key, value.abs() + 0.5)
                else:
                    setattr(self, key, nn.Parameter(value))

        def forward(self, x: Tensor) -> Tensor:
            return call(x, self)

    model = Calls().eval()
    found = trace_call(model, (drawn(*shape),), method=method, stubs=False)
    (module,) = [m for m in found.module.modules() if type(m) is cls]
    assert found.inventory.modules[1].address.startswith("_generated_")
    assert module.weight is found.module.a
    twin = copy.deepcopy(found.module)
    x = drawn(*shape) * 2
    with torch.no_grad():
        assert torch.equal(twin(x), model(x))
    # every name of the model's own stays, and loading one loads the other
    assert set(parameters) <= set(twin.state_dict())


def test_a_subclass_that_calls_the_function_lives_at_its_own_address() -> None:
    class SameConv(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            x = functional.pad(x, (1, 1, 1, 1))
            return functional.conv2d(x, self.weight, self.bias, self.stride) + 1

    model = nn.Sequential(nn.Sequential(SameConv(1, 2, 3)), nn.ReLU()).eval()
    found = trace_call(model, (drawn(1, 1, 5, 5),), stubs=False)
    assert [m.address for m in found.inventory.modules][1:-1] == [
        "0.0._generated_pad_0",
        "0.0",
        "0.0._generated_add_0",
        "1",
    ]
    assert type(found.module.get_submodule("0.0")) is nn.Conv2d
    assert set(found.module.state_dict()) == set(model.state_dict())
    with torch.no_grad():
        assert torch.equal(found.module(drawn(2, 1, 7, 7)), model(drawn(2, 1, 7, 7)))


def test_what_is_computed_from_parameters_is_no_weight() -> None:
    model, found = follow(lambda self, x: functional.linear(x, self.table * 2), rows())
    assert type(found.module.get_submodule("_generated_linear_0")).__name__ == "Generated"
    assert torch.equal(found.module(rows(3)), model(rows(3)))


def attention_of(found: Traced) -> list[str]:
    return [m.op for m in found.inventory.modules if "linear" in m.op or m.op == "unknown"]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bias": False},
        {"add_bias_kv": True},
        {"add_zero_attn": True},
        {"kdim": 6, "vdim": 5},
    ],
    ids=str,
)
@pytest.mark.parametrize("masks", ["none", "bool", "float", "padding", "causal", "all"])
@pytest.mark.parametrize("own", [True, False], ids=["self", "cross"])
def test_multi_head_attention_is_written_out(
    batch_first: bool, settings: dict[str, object], masks: str, own: bool
) -> None:
    # keys of another width are no queries
    own = own and "kdim" not in settings

    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2, batch_first=batch_first, **settings)

        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
            size = (q.shape[1 if batch_first else 0], k.shape[1 if batch_first else 0])
            above = torch.ones(size, dtype=torch.bool).triu(1)
            padding = torch.zeros(2, size[1], dtype=torch.bool)
            padding[1, -1:] = True
            added = torch.zeros(size).masked_fill(above, -5.0)
            given = {
                "none": {},
                "bool": {"attn_mask": above},
                "float": {"attn_mask": added},
                "padding": {"key_padding_mask": padding},
                "causal": {"attn_mask": above, "is_causal": True, "need_weights": False},
                "all": {"attn_mask": above, "key_padding_mask": padding},
            }[masks]
            if own:
                k = v = q
            y, weights = self.attn(q, k, v, average_attn_weights=masks == "all", **given)
            return y, y if weights is None else weights

    torch.manual_seed(0)
    model = Attends().eval()
    length, others = (4, 4) if own else (4, 3)

    def inputs(batch: int) -> tuple[Tensor, ...]:
        shapes = ((length, 8), (others, settings.get("kdim", 8)), (others, settings.get("vdim", 8)))
        found = [drawn(batch, *s) for s in shapes]
        return tuple(x if batch_first else x.transpose(0, 1) for x in found)

    found = trace_call(model, inputs(2))
    assert attention_of(found) == ["linear"] * (2 if own else 4)
    for result, wanted in zip(found.module(*inputs(2)), model(*inputs(2)), strict=True):
        torch.testing.assert_close(result, wanted, rtol=1e-5, atol=1e-5)
    assert "attn.out_proj" in found.inventory.by_address
    names = set(found.module.state_dict())
    assert {"attn.out_proj.weight"} <= names


def test_the_weights_of_attention_train_where_they_are_used() -> None:
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    found = trace_call(model, (drawn(2, 3, 8),) * 2 + (drawn(2, 3, 8) + 1,), stubs=False)
    module = copy.deepcopy(found.module)
    module(drawn(2, 3, 8), drawn(2, 3, 8), drawn(2, 3, 8))[0].sum().backward()
    parts = [module.get_submodule(f"_generated_linear_{i}").weight for i in range(3)]
    assert all(p.requires_grad and p.grad is not None for p in parts)


@pytest.mark.parametrize("norm_first", [True, False])
def test_encoders_of_torch_are_entered(norm_first: bool) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    found = trace_call(model, (drawn(2, 3, 8),), {"mask": mask})
    ops = {m.op for m in found.inventory.modules}
    assert "unknown" not in ops
    assert {"linear", "layer_norm", "softmax", "matmul"} <= ops
    x = drawn(4, 3, 8)
    with torch.no_grad():
        torch.testing.assert_close(
            found.module(x, mask=mask), model(x, mask=mask), rtol=1e-4, atol=1e-5
        )


def test_decoders_of_torch_are_entered() -> None:
    torch.manual_seed(0)
    model = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True).eval()
    found = trace_call(model, (drawn(2, 3, 8), drawn(2, 5, 8)))
    assert "unknown" not in {m.op for m in found.inventory.modules}
    with torch.no_grad():
        x, memory = drawn(3, 3, 8), drawn(3, 5, 8)
        torch.testing.assert_close(found.module(x, memory), model(x, memory), rtol=1e-4, atol=1e-5)
