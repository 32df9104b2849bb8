"""Batch norm modes: what evaluation computes, what training does, what folding for good changes."""

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn

from qflow import qat_mode
from qflow.diagnostics import QflowError
from qflow.quantization import FakeQuantState, fold_batch_norm, set_fake_quantize
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.quantized import quantized
from qflow.tracing.fused import fused, weight_axis
from qflow.tracing.with_bn import WithBN, fused_with_bn
from tests.tracing.models import with_statistics

KEPT = ("with_bn", "with_bn_reverse_fold")
CASES = {
    "conv1d": (nn.Conv1d(4, 6, 3, bias=False), nn.BatchNorm1d(6), (3, 4, 9)),
    "conv2d": (nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6, eps=1e-3), (3, 4, 7, 6)),
    "conv2d_sync": (nn.Conv2d(4, 6, 3), nn.SyncBatchNorm(6), (3, 4, 7, 6)),
    "conv2d_plain": (nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, affine=False), (3, 4, 7, 6)),
    "conv3d": (nn.Conv3d(2, 4, 2), nn.BatchNorm3d(4), (2, 2, 4, 5, 3)),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), nn.BatchNorm2d(6), (2, 4, 5, 4)),
    "transposed_groups": (
        nn.ConvTranspose2d(4, 6, 2, 2, groups=2),
        nn.BatchNorm2d(6),
        (2, 4, 5, 4),
    ),
    "linear": (nn.Linear(7, 5), nn.BatchNorm1d(5), (8, 7)),
}


def case(name: str) -> tuple[nn.Module, nn.Module, Tensor]:
    gemm, bn, shape = copy.deepcopy(CASES[name])
    x = torch.randn(shape, generator=torch.Generator().manual_seed(5))
    return with_statistics(gemm, seed=1), with_statistics(bn, seed=2).eval(), x


def weights(module: nn.Module) -> FakeQuantize:
    axis = weight_axis(module)
    channels = module.weight.shape[axis]
    return FakeQuantize(MinMax(), axis=axis, channels=channels, address="w", follows=True)


def in_training(module: nn.Module) -> nn.Module:
    made = quantized(module, weight=weights(module)).train()
    set_fake_quantize(made, FakeQuantState.QAT)
    return made


@pytest.fixture(autouse=True)
def usual_mode():
    yield
    qat_mode.set_qat_mode("fuse_bn")


@pytest.mark.parametrize("mode", ["fuse_bn", *KEPT])
@pytest.mark.parametrize("name", CASES)
def test_evaluation_computes_the_unfused_model(name: str, mode: str) -> None:
    gemm, bn, x = case(name)
    wanted = torch.relu(bn(gemm(x)))
    made = fused(gemm, bn, "relu") if mode == "fuse_bn" else fused_with_bn(mode, gemm, bn, "relu")
    torch.testing.assert_close(made.eval()(x), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", KEPT)
@pytest.mark.parametrize("name", CASES)
def test_training_computes_the_unfused_model_and_moves_its_statistics(name: str, mode: str) -> None:
    gemm, bn, x = case(name)
    other = copy.deepcopy(bn).train()
    made = fused_with_bn(mode, gemm, bn, None).train()
    torch.testing.assert_close(made(x), other(gemm(x)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(made.bn.running_mean, other.running_mean, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(made.bn.running_var, other.running_var, rtol=1e-3, atol=1e-5)
    assert made.bn.num_batches_tracked == other.num_batches_tracked
    # frozen: neither moves, and evaluation is what is computed
    made.bn.eval()
    before = made.bn.running_mean.clone()
    frozen = made(x)
    assert torch.equal(made.bn.running_mean, before)
    assert torch.equal(frozen, made.eval()(x))


@pytest.mark.parametrize("mode", KEPT)
def test_training_rounds_the_folded_weight(mode: str) -> None:
    gemm, bn, x = case("conv2d")
    statistics = copy.deepcopy(bn)
    made = in_training(fused_with_bn(mode, gemm, bn, None))
    y = made(x)
    plain = gemm(x)
    var = plain.var((0, 2, 3), unbiased=False) if mode == "with_bn" else statistics.running_var
    factor = statistics.weight / torch.sqrt(var + bn.eps)
    amax = (gemm.weight * factor.reshape(-1, 1, 1, 1)).abs().amax((1, 2, 3))
    torch.testing.assert_close(made.weight_fake_quant.scale, amax.detach() / 127.5)
    y.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in (made.weight, bn.weight))


@pytest.mark.parametrize("name", ["conv2d", "transposed_groups", "linear"])
@pytest.mark.parametrize("mode", KEPT)
def test_folding_for_good_changes_no_bit(mode: str, name: str) -> None:
    gemm, bn, x = case(name)
    holder = nn.Sequential(in_training(fused_with_bn(mode, gemm, bn, "relu6")))
    holder(x)
    holder.eval()
    set_fake_quantize(holder, FakeQuantState.CALIBRATION)
    holder(x)  # weights are measured as evaluation folds them
    set_fake_quantize(holder, FakeQuantState.VALIDATION)
    folded = fold_batch_norm(holder)
    assert torch.equal(folded(x), holder(x))
    assert isinstance(holder[0], WithBN)
    assert not isinstance(folded[0], WithBN)
    assert not [k for k in folded.state_dict() if ".bn." in k]
    assert {"0.weight", "0.bias", "0.weight_fake_quant.scale"} <= set(folded.state_dict())
    assert {"0.weight", "0.bn.running_var"} <= set(holder.state_dict())


def test_only_the_reverse_fold_trains_on_the_grid_that_folding_gives() -> None:
    distances = {}
    for mode in KEPT:
        gemm, bn, x = case("conv2d")
        made = in_training(fused_with_bn(mode, gemm, bn, None))
        made.bn.momentum = 0.0  # statistics stay, so that both are compared on the same ones
        made(x)
        trained = made.weight_fake_quant.scale.clone()
        made.eval()
        set_fake_quantize(made, FakeQuantState.CALIBRATION)
        made(x)
        distances[mode] = (made.weight_fake_quant.scale - trained).abs().max().item()
    assert distances["with_bn_reverse_fold"] == 0
    assert distances["with_bn"] > 0


def test_a_channel_of_gamma_zero_stays_finite() -> None:
    gemm, bn, x = case("conv2d")
    with torch.no_grad():
        bn.weight[0] = 0
    made = in_training(fused_with_bn("with_bn_reverse_fold", gemm, bn, None))
    y = made(x)
    assert torch.isfinite(y).all()
    torch.testing.assert_close(y[:, 0], bn.bias[0].expand_as(y[:, 0]))


def test_modes_are_words() -> None:
    assert qat_mode.get_qat_mode() == "fuse_bn"
    qat_mode.set_qat_mode(qat_mode.QATMode.WithBN)
    assert qat_mode.get_qat_mode() is qat_mode.QATMode.WithBN
    with pytest.raises(QflowError, match="QF111: `with_batchnorm` is no QAT mode"):
        qat_mode.set_qat_mode("with_batchnorm")


def test_a_module_with_its_batch_norm_can_be_pickled() -> None:
    gemm, bn, x = case("conv2d")
    made = in_training(fused_with_bn("with_bn", gemm, bn, "relu"))
    made(x)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    made.eval()
    assert torch.equal(again.eval()(x), made(x))
