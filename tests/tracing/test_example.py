"""Tracing by example: what is followed, what stays symbolic, and that the graph computes the same."""

import copy
import io

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.plan.plan import GraphSpec
from qflow.tracing import Traced, trace, trace_call
from tests.tracing.models import Columns, SmallNet, image, with_statistics


def follow(forward, *args: object, **kwargs: object) -> tuple[nn.Module, Traced]:
    """A model of one function, traced on a call of it."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.linspace(-1, 1, 4))
            self.register_buffer("table", torch.arange(12.0).reshape(3, 4))
            self.conv = nn.Conv2d(1, 2, 3, padding=1)
            self.relu = nn.ReLU(inplace=True)
            self.identity = nn.Identity()

    Model.forward = forward
    model = Model().eval()
    return model, trace_call(model, args, kwargs, stubs=False)


def same(model: nn.Module, traced: Traced, *args: object, **kwargs: object) -> None:
    with torch.no_grad():
        wanted, found = model(*args, **kwargs), traced.module(*args, **kwargs)
    assert type(wanted) is type(found)
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def rows(count: int = 2, width: int = 4) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(count))


def test_sizes_stay_symbolic() -> None:
    def forward(self, x):
        batch, width = x.shape
        half = width // 2
        y = x.reshape(batch * 2, -1)[: batch + 1]
        y = y + torch.arange(half, device=x.device) * batch
        return y.view(*y.shape[:-1], 1, half) * width**-0.5 + x.new_zeros(batch + 1, 1, half)

    model, traced = follow(forward, rows())
    for count in (2, 3, 7):
        same(model, traced, rows(count))


@pytest.mark.parametrize(
    "size",
    [
        lambda x: x.size(0),
        lambda x: x.shape[0],
        lambda x: x.size()[0],
        lambda x: len(x.shape[:1]) * x.shape[0],
        lambda x: len(x),
        lambda x: x.numel() // x.shape[-1],
        lambda x: 2 * x.shape[0] - x.shape[0],
        lambda x: abs(-x.shape[0]),
        lambda x: (x.shape[0] + 1) % (x.shape[0] + 2) - 1,
    ],
)
def test_every_way_to_ask_for_a_size(size) -> None:
    model, traced = follow(lambda self, x: torch.ones(size(x), 2) + x[:, :2], rows())
    same(model, traced, rows(5))


def test_a_factory_follows_the_device_of_its_tensor() -> None:
    _, traced = follow(lambda self, x: x + torch.zeros(4, device=x.device), rows())
    zeros = next(n for n in traced.module.graph.nodes if n.target is torch.zeros)
    assert isinstance(zeros.kwargs["device"], torch.fx.Node)


def test_control_flow_is_followed_as_executed() -> None:
    def forward(self, x, times: int, double: bool = False):
        for _ in range(times):
            x = x + 1
        return x * 2 if double else x

    model, traced = follow(forward, rows(), 3, double=True)
    same(model, traced, rows(4), 3, double=True)
    assert [m.op for m in traced.inventory.modules].count("add") == 3


def test_tensors_that_are_walked_along() -> None:
    def forward(self, x):
        first, second = x
        total = first * second
        for row in x.unbind(1):
            total = total + row.sum()
        return torch.stack([total, *next(zip(x, x, strict=True))])

    model, traced = follow(forward, rows())
    same(model, traced, rows())
    assert not traced.notes


def test_what_is_overwritten_is_read_anew() -> None:
    def forward(self, image):
        x = self.conv(image)
        before = x.clone()
        y = self.relu(x)
        x += 1
        x[:, 0] = before[:, 1]
        x.mul_(2)
        torch.add(x, 1, out=before)
        return x + y, before

    model, traced = follow(forward, image())
    same(model, traced, image(3))
    assert traced.inventory.sources["_generated_add_2"] == (
        "_generated_mul_0",
        "_generated_mul_0",
    )


def test_a_call_that_does_nothing_is_a_node_of_its_own() -> None:
    def forward(self, x):
        return x.contiguous() + self.identity(functional.dropout(x, 0.5, False)) + x

    model, traced = follow(forward, rows())
    same(model, traced, rows(3))
    sources = traced.inventory.sources
    assert sources["_generated_add_0"][1] == "identity"
    assert sources["_generated_add_1"] == ("_generated_add_0", "x")


def test_parameters_buffers_and_attributes() -> None:
    def forward(self, x):
        return functional.linear(x, self.table, None) + (x * self.weight + self.weight[0])[:, :3]

    model, traced = follow(forward, rows())
    same(model, traced, rows(5))
    names = {n.target for n in traced.module.graph.nodes if n.op == "get_attr"}
    assert "weight" in names
    assert {"weight", "table"} <= set(traced.module.state_dict())


def test_tied_weights_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(7, 4)
            self.head = nn.Linear(4, 7, bias=False)
            self.head.weight = self.words.weight

        def forward(self, ids):
            x = self.words(ids)
            return self.head(x) + functional.linear(x, self.words.weight)

    model = Tied().eval()
    traced = trace_call(model, (torch.tensor([[1, 2, 3]]),))
    module = copy.deepcopy(traced.module)
    same(model, traced, torch.tensor([[4, 5], [6, 0]]))
    assert module.words.weight is module.head.weight
    assert module._generated_linear_0.weight is module.head.weight
    assert len(list(module.parameters())) == 1


def test_structures_in_and_out() -> None:
    def forward(self, pair, *rest, options, **more):
        a, (b, c) = pair
        named = {"sum": a + b, "parts": [c * options["scale"], rest[0]]}
        return named, (more["extra"] - rest[1], None, 3)

    x = [rows(2) + i for i in range(6)]
    args = ((x[0], [x[1], x[2]]), x[3], x[4])
    kwargs = {"options": {"scale": x[5], "factor": 2.0}, "extra": x[1]}
    model, traced = follow(forward, *args, **kwargs)
    inputs = [m.address for m in traced.inventory.modules if m.op == "input"]
    assert inputs == [
        "pair_0",
        "pair_1_0",
        "pair_1_1",
        "rest_0",
        "rest_1",
        "options_scale",
        "extra",
    ]
    outputs = [m.address for m in traced.inventory.modules if m.op == "output"]
    assert outputs == [
        "output.output_0_sum",
        "output.output_0_parts_0",
        "output.output_0_parts_1",
        "output.output_1_0",
    ]
    assert traced.inventory.sources["output.output_0_parts_1"] == ("rest_0",)
    same(model, traced, *args, **kwargs)
    twin = copy.deepcopy(traced.module)
    torch.testing.assert_close(twin(*args, **kwargs), model(*args, **kwargs), rtol=0, atol=0)
    buffer = io.BytesIO()
    torch.save(trace_call(SmallNet().eval(), (image(),)).module, buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=False)(image(5)).shape == (5, 10)


def test_a_named_tuple_comes_back_as_one() -> None:
    _, traced = follow(lambda self, x: torch.max(x, 1), rows())
    values, indices = traced.module(rows(3))
    assert torch.equal(values, rows(3).max(1).values)
    assert torch.equal(indices, rows(3).max(1).indices)


def test_one_tensor_given_twice_is_two_inputs() -> None:
    x = rows()
    model, traced = follow(lambda self, a, b: a - 2 * b, x, x)
    same(model, traced, rows(3), rows(3) + 1)


def test_both_ways_of_tracing_agree() -> None:
    for model in (with_statistics(SmallNet()), with_statistics(Columns())):
        found = [
            trace(model, {"image": image()}, ("out",), "e", method=method)
            for method in ("symbolic", "example")
        ]
        assert found[0].inventory == found[1].inventory
        assert torch.equal(found[0].module(image(5)), found[1].module(image(5)))


OPERATORS = {
    "reflected": lambda self, x: (1 - x) * (2 / (x + 5)) + 2**x,
    "compare": lambda self, x: torch.where((x > 0) & ~(x >= 1), x, -x),
    "modulo": lambda self, x: x % 2 + x // 2 + abs(x),
    "index": lambda self, x: x[..., None, 1:][:, 0] + x[:, :3].T.T,
    "method": lambda self, x: x.add(x).sub(1).mul(x).div(3).flatten().unsqueeze(0).softmax(-1),
    "function": lambda self, x: functional.gelu(torch.cat([x, functional.pad(x, (1, 1))], 1)),
    "tuple": lambda self, x: x.chunk(2, 1)[1] + torch.split(x, 2, 1)[0],
    "like": lambda self, x: x + torch.zeros_like(x) + torch.full_like(x, 2),
    "matrix": lambda self, x: torch.einsum("ij,kj->ik", x, x) + x @ x.t() + torch.matmul(x, x.mT),
    "attention": lambda self, x: functional.scaled_dot_product_attention(x[None], x[None], x[None]),
    "float_functional": lambda self, x: x.float() + x.to(torch.float32) + x.type_as(x),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_have_the_names_of_a_symbolic_trace(name: str) -> None:
    model, traced = follow(OPERATORS[name], rows())
    symbolic = trace_call(model, (rows(),), method="symbolic", stubs=False)
    assert traced.inventory == symbolic.inventory
    if name != "attention":
        same(model, traced, rows())


def test_leaves_and_wraps_of_a_graph_block() -> None:
    spec = GraphSpec(leaf_types=("Residual",))
    traced = trace(SmallNet(), {"image": image()}, ("out",), "e", spec, method="example")
    assert traced.inventory.by_address["left"].op == "unknown"
    assert "left.conv" not in traced.inventory.by_address


def test_tracing_leaves_no_trace() -> None:
    model = SmallNet().train()
    call, state = nn.Module.__call__, torch.get_rng_state()
    names = {n: set(vars(m)) for n, m in model.named_modules()}
    trace_call(model, (image(),))
    assert nn.Module.__call__ is call
    assert torch.equal(torch.get_rng_state(), state)
    assert {n: set(vars(m)) for n, m in model.named_modules()} == names
    assert model.training


def test_other_code_runs_as_ever_while_a_model_is_traced() -> None:
    made: list[Tensor] = []

    def forward(self, x):
        made.append(nn.ReLU()(x))
        return nn.Sequential(nn.ReLU())(x) + made[-1]

    model, traced = follow(forward, rows())
    same(model, traced, rows(3))
    assert [m.op for m in traced.inventory.modules] == ["input", "relu", "relu", "add", "output"]
