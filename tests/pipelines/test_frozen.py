"""digits_frozen: training of the head leaves the backbone as calibration left it, bit for bit."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from safetensors.torch import load_file  # noqa: E402

from qflow import cli  # noqa: E402
from tests.pipelines.test_digits import PIPELINES  # noqa: E402


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, two_threads: None) -> Path:
    folder = tmp_path_factory.mktemp("frozen")
    assert cli.main(["run", str(PIPELINES / "digits_frozen.qf"), "--out", str(folder)]) == 0
    return folder


def state(out: Path, stage: str) -> dict[str, torch.Tensor]:
    (found,) = out.glob(f"cache/{stage}-*")
    return load_file(found / "state.safetensors")


def test_the_backbone_is_bit_identical_and_the_head_is_not(out: Path) -> None:
    before, after = state(out, "calibrate"), state(out, "head")
    assert before.keys() == after.keys()
    moved = {
        k.partition("/")[2]
        for k in before
        if before[k].numpy().tobytes() != after[k].numpy().tobytes()
    }
    assert moved
    assert all(key.startswith("head.") for key in moved), moved
    assert {"head.weight", "head.bias", "head.weight_fake_quant.scale"} <= moved
    backbone = {k for k in before if "stem.conv" in k or "block" in k}
    assert any(k.endswith("conv.weight") for k in backbone)
    assert any(k.endswith("weight_fake_quant.scale") for k in backbone)


def test_it_is_as_good_as_it_says(out: Path) -> None:
    found = json.loads((out / "summary.json").read_text())
    assert found["metrics"]["integer"]["accuracy"] >= 0.985
    assert all(c["verdict"] in ("holds", "proved") for c in found["checks"])
    (result,) = out.glob("cache/head-*/result.json")
    trained = json.loads(result.read_text())
    assert trained["kept"] == min(range(4), key=trained["values"].__getitem__)
