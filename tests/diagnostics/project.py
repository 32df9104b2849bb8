"""The pipeline of the frame as Python has it, for examples that are run: a model and its data."""

import importlib
import sys
from pathlib import Path
from typing import Any

import torch

MODEL = '''"""The network of the frame."""

from torch import nn

from qflow.quantization import DeQuantStub, QuantStub


class Part(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(inputs, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.conv, self.bn, self.relu = Part(4), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(self.first(x))) + x)


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem, self.pool, self.block = Part(1), nn.MaxPool2d(2), Block()
        self.average, self.flatten, self.head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)

    def forward(self, image):
        x = self.block(self.pool(self.stem(self.quant(image))))
        return self.dequant(self.head(self.flatten(self.average(x))))


def digits():
    return Digits()
'''

DATA = '''"""Random images and labels."""

import torch


def calibration():
    random = torch.Generator().manual_seed(0)
    return [(torch.randn(1, 8, 8, generator=random), n % 10) for n in range(64)]


training = validation = calibration
'''


def write(folder: Path, more: dict[str, str]) -> None:
    """The package `nets`; `more` is what stands behind a file of it."""
    package = folder / "nets"
    package.mkdir()
    for name, text in {"__init__.py": MODEL, "data.py": DATA}.items():
        (package / name).write_text(text + "\n\n" + more.get(f"nets/{name}", ""))
    forget()


def write_weights(folder: Path) -> None:
    """`digits.safetensors`, and `other.safetensors`, whose head is another one."""
    from safetensors.torch import save_file

    namespace: dict[str, Any] = {"__name__": "nets"}
    exec(MODEL, namespace)
    state = namespace["digits"]().state_dict()
    save_file(state, folder / "digits.safetensors")
    save_file({**state, "head.weight": torch.zeros(3, 4)}, folder / "other.safetensors")


def forget() -> None:
    """Let the next import read the files again: every example has a package of this name."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "nets"]:
        del sys.modules[name]
    importlib.invalidate_caches()
