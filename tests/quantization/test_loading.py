"""load_checkpoint: names of the field, other forms of the same model, and a reason for every key."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QATMode,
    QConfig,
    QuantStub,
    load_checkpoint,
    prepare,
    set_fake_quantize,
    set_qat_mode,
)
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mse import Mse
from tests.tracing.models import SmallNet, image, with_statistics

WEIGHT = FakeQuantize.with_args(observer=MinMax())
CALIBRATION = QConfig(output=FakeQuantize.with_args(observer=Mse()), weight=WEIGHT)
TRAINING = QConfig(output=FakeQuantize.with_args(observer=MinMax()), weight=WEIGHT)


def prepared(net: nn.Module, setter: Any = TRAINING, march: str = "nash-m") -> Any:
    return prepare(net, (image(),), setter, march=march, out_dir=None)


def calibrated(model: Any) -> Any:
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(image(8))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


class Tail(nn.Module):
    """A head whose layout stays, or changes before the dequantize; functions before it."""

    def __init__(self, permutes: bool = False, adds: int = 1) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.head = nn.Conv2d(4, 4, 1)
        self.dequant = DeQuantStub()
        self.permutes, self.adds = permutes, adds

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.stem(self.quant(x)))
        for _ in range(self.adds):
            y = y + y
        y = self.head(y * y)
        return self.dequant(y.permute(0, 2, 3, 1) if self.permutes else y)


def refused(model: nn.Module, state: Any) -> str:
    with pytest.raises(QflowError) as error:
        load_checkpoint(model, state)
    (found,) = error.value.diagnostics
    assert found.code == "QF320"
    assert found.help
    return "\n".join(found.notes)


def test_names_of_the_field() -> None:
    keys = set(prepared(with_statistics(SmallNet())).state_dict())
    act, weight = "stem.0.activation_post_process", "stem.0.weight_fake_quant"
    for path in (act, weight):
        for name in ("scale", "zero_point"):
            assert f"{path}.{name}" in keys
        for name in ("min_val", "max_val"):
            assert f"{path}.activation_post_process.{name}" in keys
    assert "quant.activation_post_process.scale" in keys
    # fused with its add, a convolution lives there, and its batch norm is nowhere
    assert "left._generated_add_0.weight" in keys
    assert not any(k.startswith(("left.conv.", "left.bn.", "stem.1.")) for k in keys)


def test_scales_start_at_one_and_zero_points_at_zero() -> None:
    state = prepared(with_statistics(SmallNet())).state_dict()
    scale = state["stem.0.weight_fake_quant.scale"]
    assert scale.dtype == torch.float32
    assert torch.equal(scale, torch.ones(8))
    point = state["stem.0.activation_post_process.zero_point"]
    assert point.dtype == torch.int64
    assert torch.equal(point, torch.zeros(1, dtype=torch.int64))


def test_calibration_to_training() -> None:
    net = with_statistics(SmallNet())
    calib = calibrated(prepared(net, CALIBRATION))
    qat = prepared(net, TRAINING)
    report = load_checkpoint(qat, calib.state_dict())
    assert report.groups == report.diagnostics == ()
    assert set(report.loaded) == set(qat.state_dict())
    set_fake_quantize(qat.eval(), FakeQuantState.VALIDATION)
    with torch.no_grad():
        assert torch.equal(qat(image()), calib(image()))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_from_a_file(suffix: str, tmp_path: Path) -> None:
    net = with_statistics(SmallNet())
    state = calibrated(prepared(net)).state_dict()
    path = tmp_path / f"qat{suffix}"
    torch.save(state, path) if suffix == ".pt" else save_file(dict(state), path)
    model = prepared(net)
    assert load_checkpoint(model, path).groups == ()
    assert torch.equal(
        model.state_dict()["quant.activation_post_process.scale"],
        state["quant.activation_post_process.scale"],
    )


def test_a_file_that_would_execute_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return (print, ("executed",))

    torch.save({"weight": Harm()}, tmp_path / "bad.pt")
    with pytest.raises(QflowError) as error:
        load_checkpoint(prepared(SmallNet()), tmp_path / "bad.pt")
    assert error.value.diagnostics[0].code == "QF311"


def test_a_float_checkpoint_is_folded() -> None:
    net = with_statistics(SmallNet(), seed=0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-2
    other = prepared(with_statistics(_same_eps(SmallNet()), seed=5))
    report = load_checkpoint(other, net.state_dict())
    assert set(report.folded) == {"stem.1", "left.bn", "right.bn"}
    with torch.no_grad():
        assert torch.allclose(other(image()), net(image()), rtol=1e-4, atol=1e-4)
    assert all(not q.observed for q in other.modules() if isinstance(q, FakeQuantize))


def _same_eps(net: nn.Module) -> nn.Module:
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-2
    return net


def test_a_float_checkpoint_into_a_model_that_keeps_its_batch_norm() -> None:
    net = with_statistics(SmallNet(), seed=0)
    set_qat_mode(QATMode.WithBN)
    try:
        other = prepared(with_statistics(SmallNet(), seed=5))
    finally:
        set_qat_mode(QATMode.FuseBN)
    report = load_checkpoint(other, net.state_dict())
    assert ("left.bn.running_var", "left._generated_add_0.bn.running_var") in report.renamed
    with torch.no_grad():
        assert torch.allclose(other(image()), net(image()), rtol=1e-4, atol=1e-4)


def test_a_fused_checkpoint_does_not_fit_a_float_model() -> None:
    net = with_statistics(SmallNet())
    notes = refused(SmallNet(), calibrated(prepared(net)).state_dict())
    assert "cannot be undone" in notes
    assert "is fused with the add behind it and lives at `left._generated_add_0`" in notes


def test_the_add_with_and_without_its_convolution() -> None:
    """int16 residuals are not fused on this march, int8 ones are."""
    net = with_statistics(SmallNet())
    fused = calibrated(prepared(net))
    apart = {
        k.replace("left._generated_add_0.w", "left.conv.w").replace(
            "left._generated_add_0.b", "left.conv.b"
        ): v
        for k, v in fused.state_dict().items()
    }
    again = prepared(net)
    report = load_checkpoint(again, apart)
    assert ("left.conv.weight", "left._generated_add_0.weight") in report.renamed
    assert report.groups == ()


def test_devices_and_run_folders_are_looked_through() -> None:
    net = with_statistics(SmallNet())
    state = calibrated(prepared(net)).state_dict()
    for prefix in ("module.", "state/"):
        report = load_checkpoint(prepared(net), {f"{prefix}{k}": v for k, v in state.items()})
        assert report.groups == ()


def test_p1_is_named() -> None:
    torch.manual_seed(0)
    trained = calibrated(prepared(Tail())).state_dict()
    notes = refused(prepared(Tail(permutes=True)), trained)
    assert "`_generated_permute_0` stands between it and its dequantize" in notes
    other = refused(prepared(Tail()), calibrated(prepared(Tail(permutes=True))).state_dict())
    assert "keeps the accumulator" in other


def test_a_shift_of_generated_names_is_named() -> None:
    trained = calibrated(prepared(Tail(adds=1))).state_dict()
    moved = OrderedDict(
        (k.replace("_generated_mul_0", "_generated_mul_3"), v) for k, v in trained.items()
    )
    notes = refused(prepared(Tail(adds=1)), moved)
    assert "the checkpoint has `_generated_mul_3`: a `mul` was added or removed before it" in notes


def test_a_renamed_module_is_guessed() -> None:
    trained = calibrated(prepared(Tail())).state_dict()
    renamed = {k.replace("stem.", "stem_conv."): v for k, v in trained.items()}
    notes = refused(prepared(Tail()), renamed)
    assert "`stem_conv` with the same shapes: it was probably renamed" in notes


def test_another_shape_is_named() -> None:
    trained = calibrated(prepared(Tail())).state_dict()
    trained["head.weight"] = torch.zeros(5, 4, 1, 1)
    trained["stem.weight_fake_quant.scale"] = torch.ones(1)
    notes = refused(prepared(Tail()), trained)
    assert "[5, 4, 1, 1] in the checkpoint, [4, 4, 1, 1] in the model" in notes
    assert "one is per channel and the other per tensor" in notes


def test_strict_leaves_the_model_alone() -> None:
    model = prepared(Tail())
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trained = calibrated(prepared(Tail())).state_dict()
    del trained["head.weight"]
    refused(model, trained)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_what_fits_is_loaded_without_strict() -> None:
    model = prepared(Tail())
    trained = calibrated(prepared(Tail())).state_dict()
    del trained["quant.activation_post_process.scale"]
    trained["more"] = torch.zeros(1)
    report = load_checkpoint(model, trained, strict=False)
    assert report.missing == ("quant.activation_post_process.scale",)
    assert report.unexpected == ("more",)
    assert [d.code for d in report.diagnostics] == ["QF702"]
    assert torch.equal(model.head.weight, trained["head.weight"])


def test_a_given_scale_that_differs_is_refused() -> None:
    from qflow.quantization.observers.fixed import Fixed

    net = Tail()
    net.quant.qconfig = QConfig(
        output=FakeQuantize.with_args(observer=Fixed(scale=0.5), dtype=qint8)
    )
    notes = refused(prepared(net), calibrated(prepared(Tail())).state_dict())
    assert "fixed to 0.5" in notes


def test_states_of_older_checkpoints_do_not_count() -> None:
    trained = calibrated(prepared(Tail())).state_dict()
    trained["quant.activation_post_process.observer_enabled"] = torch.ones(1, dtype=torch.uint8)
    model = prepared(Tail())
    report = load_checkpoint(model, trained)
    assert report.groups == ()
    assert [d.code for d in report.diagnostics] == ["QF730"]
    assert not model.quant.activation_post_process.observing
