"""Training: `python -m yuv.train` from `pipelines/` makes the checkpoint from a fixed seed."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from yuv.data import Shapes, training, validation
from yuv.model import ColourNet, colour_net

CHECKPOINT = Path(__file__).with_name("yuv.safetensors")
SEED = 5
EPOCHS = 12
BATCH = 60
PEAK_LEARNING_RATE = 0.05


def main() -> None:
    """Train, report the held-out accuracy, replace the checkpoint."""
    model = train(EPOCHS)
    write(model, CHECKPOINT)
    print(f"held-out accuracy {accuracy(model, validation()):.2%}: {CHECKPOINT}")


def train(epochs: int, seed: int = SEED) -> ColourNet:
    """A network in eval mode; `seed` decides every random number."""
    torch.manual_seed(seed)
    images, colours = whole(training())
    model = colour_net().train()
    steps = epochs * -(-len(images) // BATCH)
    optimizer = torch.optim.SGD(model.parameters(), PEAK_LEARNING_RATE, 0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = nn.functional.cross_entropy(model(images[chosen]), colours[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def whole(data: Shapes) -> tuple[torch.Tensor, torch.Tensor]:
    """Every image and every colour of a set."""
    samples = [data[i] for i in range(len(data))]
    return torch.stack([s[0] for s in samples]), torch.tensor([s[1] for s in samples])


@torch.no_grad()
def accuracy(model: nn.Module, data: Shapes) -> float:
    """Share of the images whose largest logit is their colour."""
    images, colours = whole(data)
    return (model(images).argmax(1) == colours).float().mean().item()


def write(model: nn.Module, path: Path) -> None:
    """Replace `path` at once: a reader sees the old checkpoint or the new one."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(save(model.state_dict()))
    os.replace(unfinished, path)


if __name__ == "__main__":
    main()
