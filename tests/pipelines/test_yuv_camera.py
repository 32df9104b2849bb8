"""yuv_camera: the checkpoint is what it says, the pipeline holds, and a wrong swing is seen."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from qflow import cli, functional  # noqa: E402
from qflow.compile.front import front  # noqa: E402
from qflow.quantization import (  # noqa: E402
    FakeQuantState,
    insert_centered_yuv2rgb,
    prepare,
    set_fake_quantize,
)

PIPELINES = Path(__file__).parents[2] / "pipelines"
FILE = PIPELINES / "yuv_camera.qf"


@pytest.fixture(scope="module")
def train() -> ModuleType:
    sys.path.insert(0, str(PIPELINES))
    try:
        return importlib.import_module("yuv.train")
    finally:
        sys.path.remove(str(PIPELINES))


@pytest.fixture(scope="module")
def network(train: ModuleType):
    model = train.colour_net()
    model.load_state_dict(load_file(train.CHECKPOINT))
    return model.eval()


def test_the_checkpoint_is_small_and_good(network, train: ModuleType) -> None:
    assert train.CHECKPOINT.stat().st_size < 60_000
    assert train.accuracy(network, train.validation()) >= 0.97


def test_training_is_seeded(train: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train.write(train.train(epochs=1), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_data_are_what_the_file_says(train: ModuleType) -> None:
    data = importlib.import_module(train.Shapes.__module__)
    images = data.training().images.astype("float64")
    assert images.mean((0, 2, 3)) == pytest.approx(data.MEAN, abs=1)
    assert images.std((0, 2, 3)) == pytest.approx(data.STD, abs=1)
    plan = front(FILE, {}, locked=True).plan
    assert plan is not None
    (colour,) = plan.target.colour
    assert (colour.mean, colour.std) == (data.MEAN, data.STD)
    assert not {i.tobytes() for i in data.validation().images} & {
        i.tobytes() for i in data.training().images
    }


def test_the_pipeline_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert cli.main(["run", str(FILE), "--out", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert found["oracle"]["mismatches"] == 0
    assert found["metrics"]["integer"]["accuracy"] >= found["metrics"]["float"]["accuracy"] - 0.01
    assert found["diagnostics"] == []
    graph = load_file(tmp_path / "out" / "integer.safetensors")
    assert any(name.startswith("quant.weight") for name in graph)


def test_the_right_swing_costs_nothing_and_the_wrong_one_is_seen(
    network, train: ModuleType
) -> None:
    data = importlib.import_module(train.Shapes.__module__)
    samples = data.validation()
    images, colours = train.whole(samples)
    prepared = prepare(
        network, (images[:60],), march="nash-m", input_names=("image",), out_dir=None
    )
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        prepared(images[:120])
    prepared.eval()
    set_fake_quantize(prepared, FakeQuantState.VALIDATION)
    yuv = functional.rgb2centered_yuv(torch.from_numpy(samples.images).float(), "full")
    logits = {}
    for swing in ("full", "studio"):
        model = insert_centered_yuv2rgb(prepared, swing=swing, mean=data.MEAN, std=data.STD)
        set_fake_quantize(model, FakeQuantState.VALIDATION)
        with torch.no_grad():
            logits[swing] = model(yuv)
    with torch.no_grad():
        plain = prepared(images)
    apart = {s: float((y - plain).norm() / plain.norm()) for s, y in logits.items()}
    assert (logits["full"].argmax(1) == colours).float().mean() >= 0.97
    assert apart["full"] < 0.05 < 0.15 < apart["studio"]


def test_numbers_of_another_training_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FILE.read_text()
    wrong = text.replace("std: [53.0, 51.0, 52.0]", "std: [1.0, 1.0, 1.0]")
    wrong = wrong.replace("mean: [121.0, 120.0, 120.0]", "mean: [0.0]")
    assert wrong != text
    file = tmp_path / "yuv_camera.qf"
    file.write_text(wrong)
    (tmp_path / "yuv").symlink_to(PIPELINES / "yuv")
    code = cli.main(["run", str(file), "--out", str(tmp_path / "out")])
    said = capsys.readouterr()
    assert code == 1
    assert "QF294" in said.out + said.err
