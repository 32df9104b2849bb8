"""Models the tests trace: small, but with the shapes of real ones."""

import torch
from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub


class Residual(nn.Module):
    """conv-bn-add-relu; the gemm is operand 0 or 1 of the add."""

    def __init__(self, channels: int, gemm_first: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.gemm_first = gemm_first

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(x))
        return self.relu(y + x if self.gemm_first else x + y)


class SmallNet(nn.Module):
    """stem conv-bn-relu, two residual blocks, max pool, flatten, linear; stubs at both ends."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.left = Residual(8, gemm_first=True)
        self.right = Residual(8, gemm_first=False)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(128, 10)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.right(self.left(self.stem(self.quant(image))))
        x = torch.flatten(self.pool(x), 1)
        return self.dequant(self.fc(self.drop(x)))


class Columns(nn.Module):
    """As a text recognizer reads columns: conv, cat of two branches, permute, reshape, linear."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.a = nn.Conv2d(1, 4, 3, padding=1)
        self.b = nn.Conv2d(1, 4, 1)
        self.relu = nn.ReLU6()
        self.fc = nn.Linear(64, 5)
        self.dequant = DeQuantStub()

    def forward(self, image: Tensor) -> Tensor:
        x = self.quant(image)
        x = torch.cat([self.relu(self.a(x)), self.b(x)], dim=1)
        x = x.permute(0, 3, 1, 2)
        x = x.reshape(x.size(0), x.shape[1], 64)
        return self.dequant(self.fc(x))


def with_statistics(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and batch norms as after some training; evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif tensor.is_floating_point():
            spread = 0.3 if tensor.dim() > 1 else 0.5
            tensor.normal_(0, spread, generator=generator)
    return model.eval()


def image(batch: int = 2, seed: int = 1) -> Tensor:
    return torch.randn(batch, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
