"""Checkpoints: what is read, and what is refused without executing anything."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from qflow.diagnostics import Diagnostic, QflowError
from qflow.engine import checkpoint


def model() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Linear(2, 2))


def refused(path: Path) -> Diagnostic:
    with pytest.raises(QflowError) as caught:
        checkpoint.load_into(model(), path, path.name, None)
    assert caught.value.exit_code == 2
    (found,) = caught.value.diagnostics
    return found


def test_safetensors_and_plain_pickles_give_the_same_weights(tmp_path: Path) -> None:
    trained = model()
    save_file(trained.state_dict(), tmp_path / "w.safetensors")
    torch.save(trained.state_dict(), tmp_path / "w.pt")
    torch.save({"state_dict": trained.state_dict(), "epoch": 3}, tmp_path / "nested.pt")
    for name in ("w.safetensors", "w.pt", "nested.pt"):
        other = model()
        checkpoint.load_into(other, tmp_path / name, name, None)
        for key, value in trained.state_dict().items():
            assert torch.equal(other.state_dict()[key], value), (name, key)


def test_every_difference_is_listed_by_module(tmp_path: Path) -> None:
    weights = dict(model().state_dict())
    del weights["0.bias"], weights["0.weight"]
    weights["2.gain"] = torch.zeros(1)
    weights["extra.weight"] = torch.zeros(1)
    weights["2.weight"] = torch.zeros(3, 2)
    save_file(weights, tmp_path / "w.safetensors")
    found = refused(tmp_path / "w.safetensors")
    assert found.code == "QF310"
    assert found.notes == (
        "0: missing `bias`, `weight`",
        "2: unexpected `gain`; of another shape `weight` ([3, 2] in the file, [2, 2] in the model)",
        "extra: unexpected `weight`",
    )


def test_a_prefix_of_data_parallel_is_explained(tmp_path: Path) -> None:
    save_file(
        {f"module.{k}": v for k, v in model().state_dict().items()}, tmp_path / "w.safetensors"
    )
    assert "model.module.state_dict()" in refused(tmp_path / "w.safetensors").help


class Evil:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.path),)


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    torch.save({"w": Evil(mark)}, tmp_path / "w.pt")
    found = refused(tmp_path / "w.pt")
    assert found.code == "QF311"
    assert "save_file" in found.help
    assert not any("weights_only=False" in text for text in (*found.notes, found.help))
    assert not mark.exists()


def test_a_whole_model_is_not_plain_weights(tmp_path: Path) -> None:
    torch.save(model(), tmp_path / "w.pt")
    assert refused(tmp_path / "w.pt").code == "QF311"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("w.pt", b""),
        ("w.pt", b"not a checkpoint at all"),
        ("w.pt", pickle.dumps([1, 2])),
        ("w.pt", b"root:x:0:0\n"),
        ("w.pt", b"import torch\n"),
        ("w.safetensors", b"short"),
        ("w.safetensors", b"\x00" * 64),
    ],
)
def test_other_files_are_not_plain_weights(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    found = refused(tmp_path / name)
    assert found.code == "QF311"
    # torch's own words suggest to execute what is in the file
    assert "weights_only" not in found.notes[0]
    assert "list index" not in found.notes[0]


def test_a_list_and_a_dict_of_other_things_are_named(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    torch.save({"lr": 0.1, "w": torch.zeros(1)}, tmp_path / "dict.pt")
    assert "holds a list" in refused(tmp_path / "list.pt").notes[0]
    assert "no dense tensors: lr" in refused(tmp_path / "dict.pt").notes[0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    found = refused(tmp_path / "absent.safetensors")
    assert found.code == "QF302"
    assert "relative to the folder" in found.help
