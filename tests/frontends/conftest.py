"""One network and its files, made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.frontends import nets


@dataclass(frozen=True)
class Files:
    model: nn.Module
    image: Tensor
    folder: Path

    def __getitem__(self, suffix: str) -> Path:
        return self.folder / f"net.{suffix}"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """`net.ts`, `net.pt2` and `net.onnx` of one network."""
    folder = tmp_path_factory.mktemp("models")
    model = nets.net()
    image = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    nets.traced(model, folder / "net.ts", image)
    nets.exported(model, folder / "net.pt2", image)
    nets.onnx_of(model, folder / "net.onnx", image, names=("image",))
    return Files(model, image, folder)
