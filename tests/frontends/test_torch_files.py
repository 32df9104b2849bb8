"""TorchScript and torch.export: what is not taken, and core ATen that decompositions leave."""

import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.frontends import parity, reading
from tests.frontends import nets
from tests.frontends.conftest import Files


class Deciding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            return x
        return -x


def test_a_script_that_decides_is_refused_with_its_line(tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(Deciding()), tmp_path / "net.ts")
    with pytest.raises(QflowError, match="QF365") as caught:
        reading.read(tmp_path / "net.ts", "net.ts")
    assert "test_torch_files.py:" in str(caught.value)
    assert "the line reads `if " in str(caught.value)


def test_a_checkpoint_is_no_model(files: Files, tmp_path: Path) -> None:
    torch.save(files.model.state_dict(), tmp_path / "net.pt")
    with pytest.raises(QflowError, match=r"QF362.*no TorchScript file"):
        reading.read(tmp_path / "net.pt", "net.pt")
    (tmp_path / "net.pt2").write_bytes(files["ts"].read_bytes())
    with pytest.raises(QflowError, match=r"QF362.*models/model.json"):
        reading.read(tmp_path / "net.pt2", "net.pt2")
    with pytest.raises(QflowError, match="QF302"):
        reading.read(tmp_path / "none.ts", "none.ts")


def test_an_operator_nobody_knows_is_told_with_its_module(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.special.i0(x)

    for suffix in ("ts", "pt2"):
        path = tmp_path / f"net.{suffix}"
        made = nets.traced if suffix == "ts" else nets.exported
        made(nn.Sequential(Odd()), path, torch.rand(2, 4))
        with pytest.raises(QflowError, match=r"QF364.*i0"):
            reading.read(path, path.name)


def test_a_model_in_training_mode_is_told(tmp_path: Path) -> None:
    path = nets.traced(
        nn.Sequential(nn.BatchNorm1d(4)).train(), tmp_path / "n.ts", torch.rand(3, 4)
    )
    with pytest.raises(QflowError, match=r"model.eval\(\)"):
        reading.read(path, "n.ts")


def test_core_aten_is_read_as_modules(files: Files, tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = torch.export.export(files.model, (files.image,))
        torch.export.save(whole.run_decompositions(), tmp_path / "net.pt2")
    source = reading.read(tmp_path / "net.pt2", "net.pt2")
    modules = dict(source.module.named_modules())
    kinds = {n: type(modules[n]).__name__ for n in ("stem.0", "block.conv", "block.bn", "head")}
    assert kinds == {
        "stem.0": "Conv2d",
        "block.conv": "Conv2d",
        "block.bn": "BatchNorm2d",
        "head": "Linear",
    }
    assert source.inputs[0].dims == (2, 3, 8, 8)
    found = parity.measure(source, ["logits"], [{"image": files.image}], "net.pt2")
    assert found is not None
    assert found.relative < 1e-6


def test_a_model_saved_from_a_gpu_is_loaded_on_the_cpu(tmp_path: Path) -> None:
    class Placed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x) + torch.arange(2.0, device=x.device)

    model, x = Placed().eval(), torch.rand(3, 4)
    path = nets.traced(model, tmp_path / "net.ts", x)
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    assert any(b'torch.device("cpu")' in raw for raw in members.values())
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in members.items():
            raw = raw.replace(b'torch.device("cpu")', b'torch.device("cuda:0")')
            # where the weights lay, with the length in front
            raw = raw.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            archive.writestr(name, raw)
    source = reading.read(path, "net.ts")
    with torch.no_grad():
        assert torch.equal(source.module(x), model(x))
    found = parity.measure(source, ["y"], [{"x": x}], "net.ts")
    assert found is not None
    assert found.difference == 0
