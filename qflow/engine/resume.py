"""resume: what a training needs to go on after a kill, as one file that is whole or not there."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_safetensors
from torch import Tensor

from qflow.engine import digest, files

FORMAT = 1
_HEAD = "qflow"


@dataclass(frozen=True)
class Checkpoint:
    """The state between two epochs. Tensors by name; `plain` is JSON data."""

    epoch: int
    """Epochs done."""
    model: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    """The model after its best epoch; empty where it is not kept."""
    optimizer: Mapping[str, Tensor]
    plain: Mapping[str, Any]


_PARTS = ("model", "best", "optimizer")


def write(path: Path, found: Checkpoint) -> None:
    """Replace the file at once. The states of all three random generators are part of it."""
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
        for part in _PARTS
        for name, tensor in getattr(found, part).items()
    }
    generators, described = _generators()
    tensors |= generators
    head = {"format": FORMAT, "epoch": found.epoch, "plain": found.plain, "random": described}
    text = json.dumps(head, sort_keys=True)
    metadata = {_HEAD: text, "digest": _digest(tensors, text)}
    files.write(path, save_safetensors(tensors, metadata))


def read(path: Path) -> Checkpoint | None:
    """What was written; None when there is nothing, or it is not sound. Random states are set."""
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}
        head = json.loads(metadata[_HEAD])
        if head["format"] != FORMAT or metadata["digest"] != _digest(tensors, metadata[_HEAD]):
            return None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        # none, half of another version, or spoilt: training starts at the beginning
        return None
    _restore_generators(tensors, head["random"])
    parts = {
        part: {
            name.removeprefix(f"{part}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}/")
        }
        for part in _PARTS
    }
    return Checkpoint(head["epoch"], **parts, plain=head["plain"])


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    return digest.of_json([digest.of_arrays(arrays), text])


def _generators() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Where torch, NumPy and Python are in their random numbers."""
    _, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, words, next_gauss = random.getstate()
    tensors = {
        "random/torch": torch.get_rng_state(),
        "random/numpy": torch.from_numpy(np.asarray(keys, dtype=np.int64)),
        "random/python": torch.tensor(words, dtype=torch.int64),
    }
    numpy = [int(position), int(has_gauss), float(gauss)]
    return tensors, {"numpy": numpy, "python": [version, next_gauss]}


def _restore_generators(tensors: Mapping[str, Tensor], described: Mapping[str, Any]) -> None:
    torch.set_rng_state(tensors["random/torch"])
    position, has_gauss, gauss = described["numpy"]
    keys = tensors["random/numpy"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, position, has_gauss, gauss))
    version, next_gauss = described["python"]
    random.setstate((version, tuple(tensors["random/python"].tolist()), next_gauss))
