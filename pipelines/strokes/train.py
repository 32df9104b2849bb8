"""Training: `python -m strokes.train` from `pipelines/` makes the checkpoint from a fixed seed."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from strokes.data import Strokes, training, validation
from strokes.model import StrokesNet, strokes_net

CHECKPOINT = Path(__file__).with_name("strokes.safetensors")
SEED = 7
EPOCHS = 20
BATCH = 64
LEARNING_RATE = 3e-3


def main() -> None:
    """Train, report the held-out accuracy, replace the checkpoint."""
    model = train(EPOCHS)
    unfinished = CHECKPOINT.with_name(f".{CHECKPOINT.name}.unfinished")
    unfinished.write_bytes(save(model.state_dict()))
    os.replace(unfinished, CHECKPOINT)
    held_out = validation()
    plain = ((held_out.images[:, 0] >= 0) == held_out.ink).float().mean()
    print(f"pixels right: {accuracy(model, held_out):.2%}; a threshold alone: {plain:.2%}")


def train(epochs: int, seed: int = SEED) -> StrokesNet:
    """A network in eval mode, trained on the training split."""
    torch.manual_seed(seed)
    data, model = training(), strokes_net().train()
    steps = epochs * -(-len(data) // BATCH)
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(data)).split(BATCH):
            loss = nn.functional.cross_entropy(model(data.images[chosen]), data.ink[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, data: Strokes) -> float:
    """Share of the pixels whose larger score is right."""
    return (model(data.images).argmax(1) == data.ink).float().mean().item()


if __name__ == "__main__":
    main()
