"""sophgo: every threshold of the vendor's own calibrator, and where in a network a tensor lies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow.dtype import qint8
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.calibrators.sophgo import visit_order
from qflow.quantization.grid import observer_grid
from qflow.quantization.observers.sophgo import METHODS, Sophgo
from qflow.quantization.place import places
from qflow.quantization.qconfig import QConfig

DATA = Path(__file__).parent / "vectors"
KNOWN: dict[str, Any] = json.loads((DATA / "sophgo_calibration.json").read_text())
SAMPLES = np.load(DATA / "sophgo_calibration.npz")
TENSORS: list[str] = KNOWN["tensors"]
OPS = {"x": "quant", "c1_Relu": "conv2d", "c2_Conv": "conv2d", "fc_Gemm": "linear"}
PLACES = places([(t, OPS.get(t, "other")) for t in TENSORS])
GRID = observer_grid(qint8, "qmax")


def samples(tensor: str) -> list[Tensor]:
    order = visit_order(KNOWN["input_num"])
    return [torch.from_numpy(SAMPLES[f"sample{i}/{tensor}"]).reshape(1, -1) for i in order]


def found(observer: Sophgo, values: list[Tensor]) -> tuple[float, float]:
    state = observer.start(1)
    for x in values:
        state = observer.observe(state, x)
    low, high = observer.range(state, GRID)
    return float(low), float(high)


def test_the_order_of_samples_is_theirs() -> None:
    assert list(visit_order(KNOWN["input_num"])) == KNOWN["visit_order"]


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("method", METHODS)
def test_all_thresholds_are_the_vendors_to_seven_decimals(method: str, tensor: str) -> None:
    threshold, smallest, largest = KNOWN["thresholds"][method][tensor]
    low, high = found(Sophgo(method).placed(PLACES[tensor]), samples(tensor))
    assert round(max(high, -low), 7) == threshold
    assert (low < 0) == (smallest < 0)
    if method == "percentile9999":
        assert (round(low, 7), round(high, 7)) == (smallest, largest)


def test_there_are_54_thresholds() -> None:
    assert sum(len(rows) for rows in KNOWN["thresholds"].values()) == 54


def test_places() -> None:
    assert [t for t in TENSORS if PLACES[t].is_input] == ["x"]
    assert [t for t in TENSORS if PLACES[t].is_tail] == ["fc_Gemm"]
    assert (PLACES["ad_Add"].index, PLACES["ad_Add"].count) == (3, 9)
    # no gemm among the last five: those five
    far = places([("a", "conv2d"), *((f"b{i}", "relu") for i in range(7))])
    assert [n for n, p in far.items() if p.is_tail] == ["b2", "b3", "b4", "b5", "b6"]
    # the place of what runs twice is the first
    assert places([("a", "relu"), ("b", "relu"), ("a", "relu")])["a"].index == 0


def test_what_is_set_by_hand_stays() -> None:
    made = Sophgo("mse", place="tail", percent=99.995).placed(PLACES["x"])
    assert (made.place, made.percent) == ("tail", 99.995)
    assert Sophgo("mse").placed(PLACES["x"]).place == "input"
    percent = Sophgo("percentile9999").placed(PLACES["ad_Add"]).percent
    assert percent == pytest.approx(99.99 + 3 * 0.009999 / 9, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"method": "best"}, "one of max, percentile9999"),
        ({"place": "middle"}, "one of input"),
        ({"percent": 99.0}, "lies in 99.99..100"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Sophgo(**settings)


@pytest.mark.parametrize("method", METHODS)
def test_tensors_of_zeros_and_of_one_value(method: str) -> None:
    low, high = found(Sophgo(method), [torch.zeros(1, 50)])
    # the octav of zeros is 1, and at most the largest magnitude
    assert (low, high) == (0, pytest.approx(1e-5))
    low, high = found(Sophgo(method), [torch.zeros(1, 9), torch.tensor([[-2.0]])])
    assert max(high, -low) >= 9e-6
    assert low < 0


def test_the_histogram_starts_anew_where_the_first_sample_was_too_small() -> None:
    small, large = torch.full((1, 100), 1e-6), torch.randn(1, 5000, generator=seeded())
    assert found(Sophgo("kl"), [small, large]) == found(Sophgo("kl"), [large])


def test_merged_histograms_are_near_the_whole() -> None:
    values, observer = samples("c2_Conv"), Sophgo("kl")
    states = []
    for part in (values[:3], values[3:]):
        state = observer.start(1)
        for x in part:
            state = observer.observe(state, x)
        states.append(state)
    merged = observer.merge(*states)
    assert float(observer.range(merged, GRID)[1]) == pytest.approx(
        found(observer, values)[1], rel=0.1
    )
    assert int(merged.counts.sum()) == sum(int((v != 0).sum()) for v in values)


def test_percentiles_of_many_values() -> None:
    """The places are those of all values, whatever was dropped on the way."""
    values = [torch.randn(1, 1 << 18, generator=seeded()) * (1 + i % 3) for i in range(40)]
    low, high = found(Sophgo("percentile9999"), values)
    ordered = torch.cat(values, dim=1)[0].sort().values.double()
    place = (ordered.numel() - 1) * 0.9999 + 1
    first = int(place)
    wanted = ordered[first] + (place - first) * (ordered[first + 1] - ordered[first])
    assert high == pytest.approx(float(wanted), rel=1e-9)
    assert low < 0


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


class Net(nn.Module):
    """The vendor's net for these vectors, in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.c1, self.c2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.flatten, self.fc = nn.Flatten(), nn.Linear(512, 10)
        weights = {n: torch.from_numpy(SAMPLES[f"float_w/{n}"]) for n in KNOWN["weights"]}
        for layer, name in ((self.c1, "c1"), (self.c2, "c2")):
            layer.weight.data, layer.bias.data = weights[f"{name}_w"], weights[f"{name}_b"]
        self.fc.weight.data, self.fc.bias.data = weights["w1_fix"].T.contiguous(), weights["b1"]

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.c1(self.quant(x)))
        z = self.c2(y)
        y = (y + z) * torch.sigmoid(z)
        return self.dequant(self.fc(self.flatten(self.pool(y))))


@pytest.mark.parametrize("method", METHODS)
def test_a_whole_network_calibrates_to_the_vendors_table(method: str) -> None:
    """Six digits: their float32 convolutions add up in another order."""
    images = [torch.from_numpy(SAMPLES[f"sample{i}/x"]) for i in visit_order(KNOWN["input_num"])]
    activation = FakeQuantize.with_args(observer=Sophgo(method))
    weight = FakeQuantize.with_args()
    model = prepare(
        Net().eval(), images[0], QConfig(activation, weight), march="bm1684x", out_dir=None
    )
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    for image in images:
        model(image)
    rows = KNOWN["thresholds"][method]
    own = {"quant": "x", "c1": "c1_Relu", "c2": "c2_Conv", "fc": "fc_Gemm"}
    seen = {}
    for quantizer in model.modules():
        if isinstance(quantizer, FakeQuantize) and not quantizer.follows:
            kept = quantizer.activation_post_process
            seen[quantizer.address] = float(kept.max_val.maximum(-kept.min_val))
    for address, tensor in own.items():
        assert seen[address] == pytest.approx(rows[tensor][0], rel=2e-6), address
    rest = {round(v, 4) for a, v in seen.items() if a not in own}
    assert rest <= {round(rows[t][0], 4) for t in TENSORS}
