"""trace: addresses, generated children, shapes, edges, and what people may pass in."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import qflow.tracing
from qflow.emulation.op import op
from qflow.plan.inventory import Edge
from qflow.plan.plan import GraphSpec
from qflow.tracing import dead_modules, name_outputs, trace
from qflow.tracing.generated import Generated
from tests.tracing.models import Columns, SmallNet, image, with_statistics


def traced(model: nn.Module, graph: GraphSpec | None = None, **inputs: Tensor):
    # what is asked here is the graph of the model as it is written
    return trace(model, inputs or {"image": image()}, ("out",), "tests:model", graph, stubs=False)


class Calls(nn.Module):
    """Functional calls of every kind, some inside a child."""

    class Child(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.relu(x) + x

    def __init__(self) -> None:
        super().__init__()
        self.child = self.Child()
        self.unused = nn.Conv2d(1, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.child(image) + image
        x += image
        x = x.permute(0, 2, 3, 1)
        return functional.gelu(x.reshape(x.size(0), -1))


def test_functional_calls_become_children_of_their_owner() -> None:
    found = [m.address for m in traced(Calls()).inventory.modules]
    assert found == [
        "image",
        "child._generated_relu_0",
        "child._generated_add_0",
        "_generated_add_0",
        "_generated_add_1",
        "_generated_permute_0",
        "_generated_reshape_0",
        "_generated_gelu_0",
        "output.out",
    ]


def test_shape_arithmetic_stays_in_the_graph() -> None:
    module = traced(Calls()).module
    plain = [n for n in module.graph.nodes if n.op in ("call_function", "call_method")]
    assert [n.target for n in plain] == ["size"]
    assert module(image(5, seed=3)).shape == (5, 64)


def test_unknown_functions_are_named_after_themselves() -> None:
    class Sums(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cumsum(x, 1)

    found = traced(Sums(), x=torch.zeros(2, 64)).inventory.by_address["_generated_cumsum_0"]
    assert (found.op, found.type, found.shape) == ("unknown", "cumsum", (2, 64))


def test_the_traced_model_computes_the_same() -> None:
    for model in (Calls(), with_statistics(SmallNet()), with_statistics(Columns())):
        x = image(3, seed=5)
        assert torch.equal(traced(model).module(x), model.eval()(x))


def test_the_model_itself_is_left_alone() -> None:
    model = SmallNet().train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    names = [n for n, _ in model.named_modules()]
    traced(model)
    assert model.training
    assert model.stem[1].training
    assert [n for n, _ in model.named_modules()] == names
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not model._forward_pre_hooks


def test_inventory_of_the_small_net() -> None:
    inventory = traced(SmallNet()).inventory
    found = {m.address: m for m in inventory.modules}
    stem = found["stem.0"]
    assert (stem.op, stem.type, stem.shape, stem.detail) == (
        "conv2d",
        "Conv2d",
        (2, 8, 8, 8),
        "1->8 k3",
    )
    assert (stem.weights, stem.macs) == (72, 72 * 64)
    assert (found["fc"].detail, found["fc"].macs) == ("128->10", 1280)
    assert found["pool"].detail == "k2 s2"
    assert found["drop"].op == "identity"
    assert [m.op for m in inventory.modules][:2] == ["input", "quant"]
    assert inventory.sources["left._generated_add_0"] == ("left.bn", "stem.2")
    assert inventory.sources["right._generated_add_0"] == ("left.relu", "right.bn")
    assert inventory.sources["output.out"] == ("dequant",)


def test_details_of_a_convolution() -> None:
    model = nn.Sequential(nn.Conv2d(4, 8, (3, 1), stride=2, dilation=2, groups=2, padding=2))
    found = traced(model, x=torch.zeros(1, 4, 9, 9)).inventory.by_address["0"]
    assert found.detail == "4->8 k3x1 s2 d2 g2"
    assert found.macs == 8 * found.shape[2] * found.shape[3] * 2 * 3


def test_cat_reads_its_operands_in_order() -> None:
    inventory = traced(Columns()).inventory
    assert inventory.sources["_generated_cat_0"] == ("relu", "b")


def test_one_tensor_may_be_both_operands() -> None:
    class Double(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + x

    edges = traced(Double(), x=torch.zeros(1, 2)).inventory.edges
    assert edges[:2] == (Edge("x", "_generated_add_0", 0), Edge("x", "_generated_add_0", 1))


def test_a_module_called_twice_keeps_one_address() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.conv(x))

    found = traced(Twice(), x=image()).inventory
    assert (found.by_address["conv"].calls, found.by_address["conv"].macs) == (2, 2 * 9 * 64)
    assert Edge("conv", "conv", 0) in found.edges


def test_dead_modules_are_left_out_and_reported() -> None:
    model = Calls()
    found = traced(model)
    assert "unused" not in found.inventory.by_address
    assert dead_modules(model, found) == ("unused",)


def test_dead_modules_are_not_those_inside_a_leaf() -> None:
    model = nn.Sequential(Calls.Child(), nn.MultiheadAttention(4, 1))
    model = nn.Sequential(nn.TransformerEncoderLayer(4, 1, 4, batch_first=True))
    found = traced(model, x=torch.zeros(1, 3, 4))
    assert [m.address for m in found.inventory.modules] == ["x", "0", "output.out"]
    assert dead_modules(model, found) == ()


@pytest.mark.parametrize("spec", [GraphSpec(leaves=("child",)), GraphSpec(leaf_types=("Child",))])
def test_leaves_are_kept_whole(spec: GraphSpec) -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.child = Child()

        def forward(self, x: Tensor) -> Tensor:
            return self.child(x)

    class Child(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1 if x.sum() > 0 else x

    child = traced(Outer(), spec, x=image()).inventory.by_address["child"]
    assert (child.op, child.type) == ("unknown", "Child")


def test_a_leaf_type_may_be_given_by_its_dotted_name() -> None:
    spec = GraphSpec(leaf_types=("tests.tracing.models.Residual",))
    found = traced(SmallNet(), spec).inventory.by_address
    assert found["left"].type == "Residual"
    assert "left.conv" not in found


def test_stubs_of_torch_count_as_stubs() -> None:
    stubs = torch.ao.quantization
    model = nn.Sequential(stubs.QuantStub(), nn.ReLU(), stubs.DeQuantStub())
    found = traced(model).inventory
    assert [m.op for m in found.modules] == ["input", "quant", "relu", "dequant", "output"]


def test_no_import_of_torch_ao() -> None:
    for path in Path(qflow.tracing.__file__).parent.glob("*.py"):
        imports = [
            n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)
        ]
        assert not [n for n in imports if (n.module or "").startswith("torch.ao")]
    code = "import sys, qflow.tracing; print('qflow.quantization' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_inputs_go_by_name_where_the_names_agree() -> None:
    class Two(nn.Module):
        def forward(self, left: Tensor, right: Tensor, scale: float = 3.0) -> Tensor:
            return left if scale is None else torch.cat([left, right], 1)

    a, b = torch.zeros(1, 1), torch.ones(1, 2)
    swapped = traced(Two(), right=b, left=a)
    assert swapped.inventory.sources["_generated_cat_0"] == ("left", "right")
    assert torch.equal(swapped.module(right=b, left=a), torch.tensor([[0.0, 1, 1]]))
    in_order = traced(Two(), p=a, q=b)
    assert [n.target for n in in_order.module.graph.nodes if n.op == "placeholder"] == ["p", "q"]
    assert torch.equal(in_order.module(a, b), torch.tensor([[0.0, 1, 1]]))


def test_outputs_by_position_and_by_key() -> None:
    class Pair(nn.Module):
        def __init__(self, as_dictionary: bool) -> None:
            super().__init__()
            self.as_dictionary = as_dictionary

        def forward(self, x: Tensor) -> object:
            a, b = torch.relu(x), x + x
            return {"b": b, "a": a} if self.as_dictionary else (a, b)

    x = image()
    for as_dictionary in (False, True):
        found = trace(Pair(as_dictionary), {"x": x}, ("a", "b"), "e", stubs=False)
        assert found.inventory.sources["output.b"] == ("_generated_add_0",)
        named = name_outputs(found.module(x), ("a", "b"))
        assert list(named) == ["a", "b"]
        assert torch.equal(named["b"], x + x)


def test_a_tuple_of_tensors_is_followed_to_its_producer() -> None:
    class Split(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            a, b = x.chunk(2, dim=1)
            return b + a

    found = traced(Split(), x=torch.zeros(2, 4)).inventory
    assert found.by_address["_generated_chunk_0"].shape == (2, 2)
    assert found.sources["_generated_add_0"] == ("_generated_chunk_0", "_generated_chunk_0")


def test_forms_without_integers_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "kernels of 3 are not there"
    monkeypatch.setattr(type(op("conv2d")), "float_only", lambda self, a, shapes: why)
    found = traced(nn.Sequential(nn.Conv2d(1, 1, 3))).inventory.by_address["0"]
    assert found.op == "conv2d"
    assert found.float_only == why


def test_forms_an_operator_cannot_do_are_unknown_and_say_why() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.MaxPool2d(2, return_indices=True)
            self.offset = nn.Parameter(torch.zeros(1, 1, 4, 4))

        def forward(self, image: Tensor) -> Tensor:
            return self.pool(image)[0] + self.offset

    found = traced(Odd()).inventory.by_address
    assert found["pool"].op == "unknown"
    assert "return_indices" in found["pool"].detail
    assert found["_generated_add_0"].op == "unknown"
    assert found["_generated_add_0"].detail == "add with a constant tensor"


@pytest.mark.parametrize("form", ["module", "function", "method", "operator"])
def test_readers_of_an_overwritten_tensor_read_the_result(form: str) -> None:
    class Overwrites(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True)

        def forward(self, image: Tensor) -> Tensor:
            x = self.conv(image)
            before = x.permute(0, 1, 3, 2) * 1
            y = x
            if form == "module":
                y = self.relu(x)
            if form == "function":
                y = functional.relu(x, inplace=True)
            if form == "method":
                y = x.relu_()
            if form == "operator":
                y += before
            return torch.cat([x, y, before], 1)

    model = Overwrites()
    found = traced(model)
    with torch.no_grad():
        assert torch.equal(found.module(image()), model(image()))
    first, second, last = found.inventory.sources["_generated_cat_0"]
    assert first == second != "conv"
    assert last == "_generated_mul_0"
    assert found.inventory.sources["_generated_permute_0"] == ("conv",)


def test_shape_arithmetic_is_never_overwritten() -> None:
    class Counts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            n = before = x.size(1)
            n += 1
            return x.reshape(-1, before, 1) + (x * n).reshape(-1, before, 1)

    x = torch.ones(2, 3)
    assert torch.equal(traced(Counts(), x=x).module(x), Counts()(x))


def test_generated_children_hold_their_function() -> None:
    child = traced(Calls()).module.get_submodule("child._generated_add_0")
    assert isinstance(child, Generated)
    assert torch.equal(child(torch.ones(1), torch.ones(1)), torch.tensor([2.0]))
    assert "Generated(add)" in repr(child)
