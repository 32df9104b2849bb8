"""Training: `python -m digits.train` from `pipelines/` makes the checkpoint from a fixed seed.

The same kind of processor and the same torch give the same bits; the accuracy comes back anywhere.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from digits.data import Digits, training, validation
from digits.model import DigitsNet, digits_net

CHECKPOINT = Path(__file__).with_name("digits.safetensors")
SEED = 7
EPOCHS = 30
BATCH = 64
PEAK_LEARNING_RATE = 0.1
WEIGHT_DECAY = 5e-4


def main() -> None:
    """Train, report the held-out accuracy, replace the checkpoint."""
    arguments = argparse.ArgumentParser(prog="python -m digits.train", description=main.__doc__)
    arguments.add_argument("--epochs", type=int, default=EPOCHS)
    arguments.add_argument("--out", type=Path, default=CHECKPOINT)
    given = arguments.parse_args()
    started = time.perf_counter()
    model = train(given.epochs)
    seconds = time.perf_counter() - started
    write(model, given.out)
    print(
        f"held-out accuracy {accuracy(model, validation()):.2%} after {seconds:.0f} s: {given.out}"
    )


def train(epochs: int, seed: int = SEED) -> DigitsNet:
    """A network in eval mode, trained on the training split; `seed` decides every random number."""
    torch.manual_seed(seed)
    data = training()
    model = digits_net().train()
    steps = epochs * -(-len(data) // BATCH)
    optimizer = torch.optim.SGD(
        model.parameters(), PEAK_LEARNING_RATE, 0.9, weight_decay=WEIGHT_DECAY, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(data)).split(BATCH):
            loss = nn.functional.cross_entropy(
                model(shift(data.images[chosen])), data.labels[chosen]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def shift(images: Tensor) -> Tensor:
    """Each image of [N, 1, 8, 8] moved by -1, 0 or 1 pixels both ways; the border is background."""
    count, _, height, width = images.shape
    wide = nn.functional.pad(images, (1, 1, 1, 1), value=-1.0)
    rows = torch.randint(0, 3, (count, 1)) + torch.arange(height)
    columns = torch.randint(0, 3, (count, 1)) + torch.arange(width)
    image = torch.arange(count)[:, None, None]
    return wide[image, 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


@torch.no_grad()
def accuracy(model: nn.Module, data: Digits) -> float:
    """Share of the images whose largest logit is their digit."""
    return (model(data.images).argmax(1) == data.labels).float().mean().item()


def write(model: nn.Module, path: Path) -> None:
    """Replace `path` at once: a reader sees the old checkpoint or the new one."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(save(model.state_dict()))
    os.replace(unfinished, path)


if __name__ == "__main__":
    main()
