"""prepare: where fake-quantizers sit, what they share, how they survive a checkpoint."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QConfig,
    QuantStub,
    get_qconfig,
    load_observer_tensors,
    observer_tensors,
    prepare,
    record,
    set_fake_quantize,
    unobserved,
)
from qflow.quantization.facts import facts_of
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.moving_average import MovingAverage
from qflow.quantization.observers.mse import Mse
from qflow.quantization.observers.percentile import Percentile
from tests.quantization.prepared_models import calibrated, only
from tests.tracing.models import Columns, SmallNet, image, with_statistics


def quantizer_paths(model: nn.Module) -> set[str]:
    return {p for p, m in model.named_modules() if isinstance(m, FakeQuantize)}


# where fake-quantizers sit


def test_addresses_and_keys_of_the_small_net() -> None:
    model = prepare(with_statistics(SmallNet()), {"image": image()})
    assert quantizer_paths(model) == {
        "quant.activation_post_process",
        "stem.0.activation_post_process",
        "stem.0.weight_fake_quant",
        "left._generated_add_0.activation_post_process",
        "left._generated_add_0.weight_fake_quant",
        "right._generated_add_0.activation_post_process",
        "right._generated_add_0.weight_fake_quant",
        # kept accumulator: no grid of its own
        "fc.weight_fake_quant",
    }
    keys = set(model.state_dict())
    assert {
        "stem.0.weight",
        "stem.0.activation_post_process.scale",
        "stem.0.activation_post_process.zero_point",
        "stem.0.activation_post_process.activation_post_process.min_val",
        "stem.0.activation_post_process.activation_post_process.max_val",
        "stem.0.weight_fake_quant.scale",
        "stem.0.weight_fake_quant.activation_post_process.max_val",
    } <= keys
    assert model.get_submodule("stem.0").weight_fake_quant.scale.shape == (8,)
    assert type(model.get_submodule("stem.0")).__name__ == "QuantizedConv2d"
    assert isinstance(model.get_submodule("stem.0"), nn.Conv2d)


def test_a_march_without_an_int32_tail_quantizes_the_output() -> None:
    model = prepare(with_statistics(SmallNet()), image(), get_qconfig(), march="generic")
    assert "fc.activation_post_process" not in quantizer_paths(model)
    assert model.fc.weight_fake_quant.grid.divisor == 127


def test_outputs_pass_their_fake_quantizer() -> None:
    model = calibrated(prepare(with_statistics(SmallNet()), {"image": image()}))
    stem = model.get_submodule("stem.0")
    out = stem(model.quant(image()))
    steps = torch.round(out / stem.activation_post_process.scale)
    assert torch.equal(steps * stem.activation_post_process.scale, out)
    assert steps.max() <= 127


def test_data_movement_shares_the_grid_of_its_input() -> None:
    graph = record(calibrated(prepare(with_statistics(SmallNet()), {"image": image()})))
    owner = only(graph, "right._generated_add_0").grid
    for address in ("pool", "_generated_flatten_0", "drop"):
        assert np.array_equal(only(graph, address).grid.scale, owner.scale)


def test_a_cat_owns_the_grid_of_its_inputs() -> None:
    model = calibrated(prepare(with_statistics(Columns()), {"image": image()}))
    paths = quantizer_paths(model)
    assert "_generated_cat_0.activation_post_process" in paths
    assert not [p for p in paths if p.startswith(("b.activation", "_generated_permute"))]
    graph = record(model)
    cat = only(graph, "_generated_cat_0")
    assert cat.inputs == ("a", "b")
    scale = cat.grid.scale
    for address in ("a", "b", "_generated_permute_0", "_generated_reshape_0"):
        assert np.array_equal(only(graph, address).grid.scale, scale)
    # both inputs were observed, and the joined output not once more
    x = model.quant(image(8))
    set_fake_quantize(model, FakeQuantState.FLOAT)
    float_x = image(8)
    largest = max(model.a(float_x).abs().max(), model.b(float_x).abs().max())
    seen = model._generated_cat_0.activation_post_process.activation_post_process.state
    assert float(seen.largest) == float(largest.detach())
    count = int(seen.counts.sum() + seen.zeros.sum())
    assert count == 2 * 8 * 4 * 64
    assert x.shape == float_x.shape


def test_one_scale_for_a_module_called_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.conv, self.relu = nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()

        def forward(self, image: Tensor) -> Tensor:
            x = self.quant(image)
            return self.dequant(self.relu(self.conv(self.conv(x))))

    graph = record(calibrated(prepare(with_statistics(Twice()), {"image": image()})))
    assert [n.id for n in graph.nodes][2:5] == ["conv", "conv#1", "relu"]
    first, second = (n for n in graph.nodes if n.address == "conv")
    assert second.inputs == ("conv",)
    assert np.array_equal(first.grid.scale, second.grid.scale)
    assert np.array_equal(first.weight, second.weight)


def test_what_lies_outside_the_stubs_stays_float() -> None:
    class Outside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.before, self.inside, self.after = nn.ReLU(), nn.ReLU(), nn.ReLU()

        def forward(self, image: Tensor) -> Tensor:
            return self.after(self.dequant(self.inside(self.quant(self.before(image)))))

    model = prepare(Outside(), {"image": image()})
    assert quantizer_paths(model) == {
        "quant.activation_post_process",
        "inside.activation_post_process",
    }
    out = {n.address: n.out_dtype for n in record(calibrated(model)).nodes}
    # what runs before the stub and behind the dequantize is no part of the integer model
    assert {a: out[a] for a in ("quant", "inside", "dequant")} == {
        "quant": "int8",
        "inside": "int8",
        "dequant": "float32",
    }
    assert out.get("after", "float32") == "float32"


# numbers


@pytest.mark.parametrize("dtype", [qint8, qint16])
def test_more_bits_come_closer_to_float(dtype) -> None:
    float_model = with_statistics(Columns())
    args = {"dtype": dtype, "observer": MinMax()}
    qconfig = QConfig(FakeQuantize.with_args(**args), FakeQuantize.with_args(**args))
    model = calibrated(prepare(float_model, {"image": image()}, qconfig))
    wanted = float_model(image(8)).detach()
    found = model(image(8)).detach()
    error = float((found - wanted).abs().max() / wanted.abs().max())
    limits = {qint8: (1e-4, 0.05), qint16: (1e-8, 2e-4)}
    low, high = limits[dtype]
    assert low < error < high
    node = only(record(model), "a")
    assert (node.grid.dtype, node.weight_grid.dtype, node.out_dtype) == (dtype, dtype, dtype.name)


def test_dropout_drops_in_qat_only() -> None:
    model = calibrated(prepare(with_statistics(SmallNet()), {"image": image()}))
    assert torch.equal(model(image()), model(image()))
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    torch.manual_seed(0)
    first = model(image())
    assert not torch.equal(first, model(image()))


def test_the_march_rounds_and_divides() -> None:
    model = prepare(with_statistics(SmallNet()), image(), march="nash-e")
    assert {q.grid.divisor for q in model.modules() if isinstance(q, FakeQuantize)} == {127.5}
    assert {q.rounding for q in model.modules() if isinstance(q, FakeQuantize)} == {"half_even"}


# state dicts


def test_state_dict_transfer_is_strict() -> None:
    float_model = with_statistics(SmallNet())
    calib = calibrated(prepare(float_model, {"image": image()}))
    qat = prepare(with_statistics(SmallNet(), seed=7), {"image": image()})
    assert unobserved(qat)
    qat.load_state_dict(calib.state_dict(), strict=True)
    assert unobserved(qat) == ()
    set_fake_quantize(qat.eval(), FakeQuantState.VALIDATION)
    assert torch.equal(qat(image(5)), calib(image(5)))


def test_a_cat_group_transfers_once() -> None:
    calib = calibrated(prepare(with_statistics(Columns()), {"image": image()}))
    other = prepare(with_statistics(Columns(), seed=3), {"image": image()})
    other.load_state_dict(calib.state_dict(), strict=True)
    set_fake_quantize(other.eval(), FakeQuantState.VALIDATION)
    assert torch.equal(other(image(5)), calib(image(5)))


def test_a_copy_and_a_pickle_compute_the_same() -> None:
    model = calibrated(prepare(with_statistics(Columns()), {"image": image()}))
    twin = copy.deepcopy(model)
    assert torch.equal(twin(image(5)), model(image(5)))
    # the shared fake-quantizer is still one
    twin._generated_cat_0.activation_post_process.scale.mul_(2)
    assert not torch.equal(twin(image(5)), model(image(5)))
    assert record(twin).nodes[-2].id == record(model).nodes[-2].id
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    assert torch.equal(torch.load(buffer, weights_only=False)(image(5)), model(image(5)))


@pytest.mark.parametrize("observer", [MinMax(), Mse(), Percentile(99.9), MovingAverage(0.1)])
def test_observers_resume_exactly(observer) -> None:
    qconfig = QConfig(output=FakeQuantize.with_args(observer=observer))
    batches = [image(4, seed=s) * (s + 1) for s in range(4)]

    def fresh() -> nn.Module:
        return prepare(with_statistics(SmallNet()), {"image": image()}, qconfig)

    whole = calibrated(fresh(), *batches)
    half = calibrated(fresh(), *batches[:2])
    resumed = fresh()
    resumed.load_state_dict(half.state_dict())
    load_observer_tensors(resumed, observer_tensors(half))
    calibrated(resumed, *batches[2:])
    for key, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[key], value), key
    with pytest.raises(KeyError):
        load_observer_tensors(resumed, {})


# prepare refuses


def test_an_operator_the_march_lacks_stays_float_and_is_named() -> None:
    class Unknown(SmallNet):
        def forward(self, image: Tensor) -> Tensor:
            return self.dequant(torch.special.gammaln(self.quant(image)).relu())

    model = prepare(Unknown(), {"image": image()})
    found = [n for n in facts_of(model).notes if n.code == "QF502"]
    assert [n.severity for n in found] == ["warning"]
    assert "nash-m has no operator" in found[0].message
    assert quantizer_paths(model) == {
        "quant.activation_post_process",
        "_generated_relu_0.activation_post_process",
    }


def test_what_the_march_lowers_is_in_the_changelog(folder) -> None:
    wide = FakeQuantize.with_args(dtype=qint16)
    model = prepare(with_statistics(SmallNet()), {"image": image()}, QConfig(output=wide))
    changes = facts_of(model).changes
    assert {(c.address, c.field, c.asked, c.given) for c in changes} >= {
        ("pool", "output.dtype", "int16", "int8"),
        ("right.relu", "output.dtype", "int16", "int8"),
    }
    assert {c.why for c in changes} == {"nash-m: max_pool2d takes int8"}
    text = (folder / "qconfig_changelogs.txt").read_text()
    assert "right.relu" in text
    assert "nash-m: max_pool2d takes int8" in text


def test_not_finite_input_names_the_stub() -> None:
    model = prepare(with_statistics(SmallNet()), {"image": image()})
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with pytest.raises(QflowError, match="QF403: NaN reached the observer of `quant`"):
        model(image() * float("nan"))
