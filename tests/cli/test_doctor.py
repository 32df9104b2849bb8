"""`qflow doctor`: a checkpoint against a .qf file or an entry point."""

import json
from pathlib import Path

import pytest
import torch

from qflow.cli import main
from qflow.quantization import FakeQuantState, set_fake_quantize

ENTRY = "tests.cli.test_doctor:model"


def model() -> torch.nn.Module:
    """What an entry point gives: a prepared model."""
    from tests.quantization.test_loading import Tail, prepared

    torch.manual_seed(0)
    return prepared(Tail())


def calibrated() -> torch.nn.Module:
    from tests.tracing.models import image

    made = model().eval()
    set_fake_quantize(made, FakeQuantState.CALIBRATION)
    made(image())
    return made


def test_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(calibrated().state_dict(), tmp_path / "good.pt")
    assert main(["doctor", str(tmp_path / "good.pt"), "--model", ENTRY]) == 0
    assert "nothing to say" in capsys.readouterr().out


def test_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(model().state_dict(), tmp_path / "bad.pt")
    assert main(["doctor", str(tmp_path / "bad.pt"), "--model", ENTRY]) == 1
    assert "was never observed" in capsys.readouterr().out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(model().state_dict(), tmp_path / "bad.pt")
    arguments = ["doctor", str(tmp_path / "bad.pt"), "--model", ENTRY, "--format", "json"]
    assert main(arguments) == 1
    listed = json.loads(capsys.readouterr().out)["diagnostics"]
    assert {d["code"] for d in listed} == {"QF321"}


@pytest.mark.parametrize("name", ["missing.pt", "text.pt"])
def test_unreadable(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.pt").write_text("no checkpoint")
    assert main(["doctor", str(tmp_path / name), "--model", ENTRY]) == 2


def test_no_such_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(model().state_dict(), tmp_path / "good.pt")
    assert main(["doctor", str(tmp_path / "good.pt"), "--model", "tests.cli.test_doctor:mode"]) == 2
    assert "`model`" in capsys.readouterr().err


def test_a_file_and_its_settings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A calibrated model fits its own file; with int16 the adds are not fused and lack scales."""
    from qflow.engine.doctor import model_of

    path = Path(__file__).parents[2] / "pipelines" / "digits.qf"
    made = model_of(str(path), {}).eval()
    set_fake_quantize(made, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        made(torch.rand(2, 1, 8, 8))
    torch.save(made.state_dict(), tmp_path / "good.pt")
    arguments = ["doctor", str(tmp_path / "good.pt"), "--model", str(path)]
    assert main(arguments) == 0
    assert "nothing to say" in capsys.readouterr().out
    assert main([*arguments, "--set", "act=int16"]) == 1
    assert "`block1.relu`: missing activation_post_process.*" in capsys.readouterr().out


def test_a_float_checkpoint_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[2] / "pipelines"
    weights = str(folder / "digits" / "digits.safetensors")
    assert main(["doctor", weights, "--model", str(folder / "digits.qf")]) == 0
    assert "this is a float checkpoint" in capsys.readouterr().out


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_scale_no_grid_can_have(
    value: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = calibrated().state_dict()
    key = next(k for k in state if k.endswith("activation_post_process.scale"))
    state[key] = torch.full_like(state[key], value)
    torch.save(state, tmp_path / "bad.pt")
    assert main(["doctor", str(tmp_path / "bad.pt"), "--model", ENTRY]) == 1
    out = capsys.readouterr().out
    assert f"[QF320]: the scale of `{key.removesuffix('.scale')}` is not a finite number" in out
    assert "1 warning" in out


@pytest.mark.parametrize("how", ["sparse", "meta"])
def test_tensors_that_are_no_weights(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = calibrated().state_dict()
    key = next(k for k in state if k.endswith("activation_post_process.scale"))
    state[key] = state[key].to_sparse() if how == "sparse" else state[key].to("meta")
    torch.save(state, tmp_path / "odd.pt")
    assert main(["doctor", str(tmp_path / "odd.pt"), "--model", ENTRY]) == 2
    assert f"these entries are no dense tensors: {key}" in capsys.readouterr().err


def test_a_word_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(calibrated().state_dict(), tmp_path / "good.pt")
    assert main(["doctor", str(tmp_path / "good.pt"), "--model", "tests"]) == 2
    assert "`tests` is neither a .qf file nor an entry point" in capsys.readouterr().err
