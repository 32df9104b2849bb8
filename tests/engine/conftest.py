"""A tiny project in a folder of its own: model, data, program; and the means to run it in this process."""

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from qflow import cli

MODEL = """
from torch import nn

from qflow.quantization import DeQuantStub, QuantStub


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(width, 2)
        self.dequant = DeQuantStub()

    def forward(self, image):
        x = self.relu(self.conv(self.quant(image)))
        return self.dequant(self.head(self.flatten(self.pool(x))))


def net(width=4):
    return Net(width)
"""

DATA = '''
import torch


def samples(count, seed=0):
    """Images whose mean decides the class."""
    made = torch.Generator().manual_seed(seed)
    shift = torch.arange(count) % 2
    images = torch.randn(count, 1, 4, 4, generator=made) + 2.0 * shift[:, None, None, None] - 1
    return [(image, int(label)) for image, label in zip(images, shift)]


def training():
    return samples(24, seed=1)


def validation():
    return samples(16, seed=2)
'''

PROGRAM = """qflow 1

param act:    dtype = int8 in [int8, int16]
param rounds: int   = 1    in 0..5

model tiny {
  entry  = "tiny.model:net"
  input  = {image: float32[N, 1, 4, 4]}
  output = {logits: float32[N, 2]}
}

target board { march = "nash-m"; unlisted = error }

data calib { loader = "tiny.data:training"; samples = 16; batch = 4; seed = 3 }
data train { loader = "tiny.data:training"; batch = 8; seed = 3 }
data val   { loader = "tiny.data:validation"; batch = 8; metric = accuracy }

quantize {
  default use w8a8 with { act.dtype = act }
}

schedule {
  stage calibrate on calib {
    state "**" = calibration
  }
  stage finetune on train epochs rounds {
    loss = cross_entropy; optimizer = sgd; lr = 1e-2
    state "**" = qat
  }
  stage evaluate on val {
    state "**" = validation
  }
}

check {
  assert no scale == 1.0
  assert exact(emulator, oracle) == true on val
  warn   accuracy_drop(integer) <= 1.0 on val
}

export onnx "tiny.onnx" { opset = 21; layout = {image: nchw}; dtype = {image: float32, logits: float32} }
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Project:
    """Files of a tiny pipeline. Change a file, then `run()`."""

    folder: Path
    call: Callable[..., Outcome]
    out_name: Path | None = None

    @property
    def program(self) -> Path:
        return self.folder / "tiny.qf"

    @property
    def out(self) -> Path:
        return self.out_name or self.folder / "out"

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a file; the old text must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        forget()

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text)
        forget()

    def run(self, *more: str) -> Outcome:
        return self.call("run", str(self.program), "--out", str(self.out), *more)

    def lock(self, *more: str) -> Outcome:
        return self.call("lock", str(self.program), *more)

    def summary(self) -> dict[str, Any]:
        return json.loads((self.out / "summary.json").read_text())

    def untimed(self) -> dict[str, Any]:
        """The summary without its seconds: what must be the same in every attempt."""
        found = self.summary()
        for stage in found["stages"].values():
            del stage["seconds"]
        return found

    def how(self) -> dict[str, bool]:
        """Stage to whether it was reused."""
        return {name: s["reused"] for name, s in self.summary()["stages"].items()}

    def results(self) -> dict[str, bytes]:
        """Every result file and its bytes."""
        names = ["integer.safetensors", "logical.safetensors", "plan.txt", "plan.json"]
        files = [self.out / n for n in names] + sorted((self.out / "export").iterdir())
        return {p.name: p.read_bytes() for p in files}


def forget() -> None:
    """Let the next import read the files again: one process runs many projects of one name."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "tiny"]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def call(*arguments: str) -> Outcome:
        forget()
        capsys.readouterr()
        code = cli.main(arguments)
        return Outcome(code, *capsys.readouterr())

    return call


def write_project(folder: Path) -> None:
    """The files of the tiny pipeline."""
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny" / "__init__.py").write_text("")
    (folder / "tiny" / "model.py").write_text(MODEL)
    (folder / "tiny" / "data.py").write_text(DATA)
    (folder / "tiny.qf").write_text(PROGRAM)


@pytest.fixture
def project(
    tmp_path: Path, call: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A fresh project; the current folder is empty and elsewhere."""
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    # a file changed twice within a second has the same time stamp as its cached byte code
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "project"
    write_project(folder)
    yield Project(folder, call)
    forget()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run of the project as it is, for tests that begin after it."""
    folder = tmp_path_factory.mktemp("template")
    write_project(folder)
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        assert cli.main(["run", str(folder / "tiny.qf"), "--out", str(folder / "out")]) == 0
    forget()
    return folder / "out"


@pytest.fixture
def finished(project: Project, template: Path) -> Project:
    """A project whose run is done."""
    shutil.copytree(template, project.out)
    return project


@pytest.fixture
def whole(template: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Summary, untimed, and results of a run nobody disturbed."""
    done = Project(template.parent, Outcome, template)
    return done.untimed(), done.results()
