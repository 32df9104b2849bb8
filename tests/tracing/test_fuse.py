"""fuse: fused modules compute what the model did, live where the field puts them, refuse what is shared."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.diagnostics import QflowError
from qflow.plan import fusion
from qflow.plan.plan import Fusion
from qflow.tracing import Traced, fuse, trace
from qflow.tracing.call import call_of
from qflow.tracing.fused import FusedConv2d, FusedLinear, fused
from qflow.tracing.with_bn import MODES
from tests.tracing.models import Columns, SmallNet, image, with_statistics


def traced(model: nn.Module, **inputs: Tensor) -> Traced:
    return trace(model, inputs or {"image": image()}, ("out",), "e")


def found_in(model: Traced) -> tuple[Fusion, ...]:
    return fusion.find(model.inventory, ("int8",), lambda _: "int8")


def same(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("model", [SmallNet, Columns])
def test_the_fused_model_computes_the_same(model: type[nn.Module]) -> None:
    float_model = with_statistics(model())
    x = image(4, seed=9)
    same(fuse(traced(float_model), found_in(traced(float_model)))(x), float_model(x))


def test_where_fused_modules_live() -> None:
    module = fuse(net := traced(with_statistics(SmallNet())), found_in(net))
    called = [n.target for n in module.graph.nodes if n.op == "call_module"]
    assert called == [
        "quant",
        "stem.0",
        "left._generated_add_0",
        "right._generated_add_0",
        "pool",
        "_generated_flatten_0",
        "drop",
        "fc",
        "dequant",
    ]
    for absorbed in ("stem.1", "stem.2", "left.conv", "left.bn", "left.relu", "right.conv"):
        assert type(module.get_submodule(absorbed)) is nn.Identity
    residual = module.get_submodule("left._generated_add_0")
    assert isinstance(residual, FusedConv2d)
    assert residual.activation == "relu"
    keys = set(module.state_dict())
    assert {"stem.0.weight", "stem.0.bias", "right._generated_add_0.bias"} <= keys
    assert not [k for k in keys if "bn" in k or "running" in k]


def test_the_call_of_a_fusion_is_that_of_its_gemm() -> None:
    module = fuse(net := traced(with_statistics(SmallNet())), found_in(net))
    call = next(c for n in module.graph.nodes if (c := call_of(n)) and c.address.startswith("left"))
    assert (call.op, call.shape) == ("conv2d", (2, 8, 8, 8))
    assert call.attributes["kernel"] == (3, 3)


def test_fusing_changes_neither_the_trace_nor_the_random_state() -> None:
    net = traced(with_statistics(SmallNet()))
    before = copy.deepcopy(net.module.state_dict())
    torch.manual_seed(3)
    state = torch.get_rng_state()
    fuse(net, found_in(net))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in net.module.state_dict().items())
    assert "stem.1" in [n.target for n in net.module.graph.nodes]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_folding_against_float64(affine: bool, bias: bool) -> None:
    conv = with_statistics(nn.Conv2d(4, 6, 3, groups=2, bias=bias), seed=1)
    bn = with_statistics(nn.BatchNorm2d(6, eps=1e-3, affine=affine), seed=2)
    x = torch.randn(2, 4, 7, 7, generator=torch.Generator().manual_seed(4))
    exact = copy.deepcopy(bn).double()(copy.deepcopy(conv).double()(x.double()))
    folded = fused(conv, bn)
    assert folded.weight.dtype == torch.float32
    torch.testing.assert_close(folded(x).double(), exact, rtol=1e-5, atol=1e-5)
    # correctly rounded: the float64 product, rounded once
    gamma = bn.weight.detach().double() if affine else torch.ones(6, dtype=torch.float64)
    factor = gamma / torch.sqrt(bn.running_var.double() + bn.eps)
    wanted = (conv.weight.detach().double() * factor[:, None, None, None]).float()
    assert torch.equal(folded.weight, wanted)


def test_linear_with_batch_norm_and_relu6() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 4)
            self.bn = nn.BatchNorm1d(4)

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.relu6(self.bn(self.fc(x)))

    model = with_statistics(Net())
    x = 10 * torch.randn(16, 6, generator=torch.Generator().manual_seed(4))
    net = traced(model, x=x)
    (only,) = found_in(net)
    assert (only.at, only.pattern) == ("fc", ("linear", "bn", "relu6"))
    module = fuse(net, (only,))
    same(module(x), model(x))
    assert module(x).max() == 6
    assert isinstance(module.fc, FusedLinear)


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, image: Tensor) -> Tensor:
        return self.relu(self.conv(self.relu(self.conv(image))))


def test_shared_modules_are_refused() -> None:
    fusion_ = Fusion("conv", ("conv", "relu"), ("conv", "relu"))
    with pytest.raises(QflowError, match="`conv` is called 2 times, so it cannot be fused"):
        fuse(traced(Shared()), (fusion_,))
    assert found_in(traced(Shared())) == ()


def test_a_gemm_with_two_readers_is_refused() -> None:
    class Fork(Shared):
        def forward(self, image: Tensor) -> Tensor:
            y = self.conv(image)
            return self.relu(y) + y

    fusion_ = Fusion("conv", ("conv", "relu"), ("conv", "relu"))
    with pytest.raises(QflowError, match="the output of `conv` has other readers"):
        fuse(traced(Fork()), (fusion_,))


def test_modules_that_are_not_called_are_refused() -> None:
    with pytest.raises(QflowError, match="QF221: `nowhere` is not called"):
        fuse(traced(Shared()), (Fusion("nowhere", ("conv",), ("nowhere",)),))


def test_a_batch_norm_over_another_axis_is_refused() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    net = traced(model, x=torch.zeros(2, 3, 4))
    assert found_in(net) == ()
    with pytest.raises(QflowError, match="normalizes another axis"):
        fuse(net, (Fusion("0", ("linear", "bn"), ("0", "1")),))


def test_frozen_weights_stay_frozen() -> None:
    conv = nn.Conv2d(1, 1, 1).requires_grad_(False)
    assert not fused(conv, nn.BatchNorm2d(1).eval()).weight.requires_grad
    assert fused(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1).eval()).bias.requires_grad


class BringsItsActivation(nn.BatchNorm2d):
    """A batch norm whose own `forward` runs the children it brings."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop = nn.Identity()
        self.act = nn.Hardswish()

    def forward(self, x: Tensor) -> Tensor:
        y = functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.1, self.eps
        )
        return self.act(self.drop(y))


@pytest.mark.parametrize("mode", MODES)
def test_what_an_absorbed_module_brings_stays_where_it_is(mode: str) -> None:
    net = with_statistics(nn.Sequential(nn.Conv2d(1, 3, 3), BringsItsActivation(3)))
    found = traced(net)
    fusions = found_in(found)
    assert fusions[0].members == ("0", "1")
    module = fuse(found, fusions, mode)
    same(module(image(2)), net(image(2)))
    assert type(module.get_submodule("1.act")) is nn.Hardswish
