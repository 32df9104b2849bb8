"""A small network with one of everything the formats must keep, and its files."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)) + x)


class Net(nn.Module):
    """Modules in a Sequential, a residual, functions, a reshape by the batch, and a slice."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.Hardswish())
        self.block = Block(width)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(12, 5)

    def forward(self, image: Tensor) -> Tensor:
        x = self.pool(self.block(self.stem(image)))
        x = functional.avg_pool2d(torch.cat([x, x * 0.5], 1), 2)[:, :6]
        x = x.reshape(x.shape[0], -1).repeat(1, 2)
        return self.head(torch.sigmoid(x))


def net() -> Net:
    """In eval mode, with running statistics that matter."""
    torch.manual_seed(0)
    made = Net().eval()
    made.block.bn.running_mean.uniform_(-1, 1)
    made.block.bn.running_var.uniform_(0.5, 2)
    return made


def traced(model: nn.Module, path: Path, *inputs: Tensor) -> Path:
    """A TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(model, inputs), path)
    return path


def exported(model: nn.Module, path: Path, *inputs: Tensor, free: bool = True) -> Path:
    """A program of torch.export; `free`: of any batch."""
    batch = torch.export.Dim("N", min=1, max=64)
    shapes = tuple({0: batch} for _ in inputs) if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model, inputs, dynamic_shapes=shapes), path)
    return path


def onnx_of(
    model: nn.Module,
    path: Path,
    *inputs: Tensor,
    names: tuple[str, ...],
    outputs: tuple[str, ...] = ("logits",),
) -> Path:
    """An ONNX file with the batch norms that exporting in evaluation mode would fold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            inputs,
            path,
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            input_names=list(names),
            output_names=list(outputs),
            dynamic_axes={n: {0: "N"} for n in (*names, *outputs)},
            opset_version=17,
        )
    return path
