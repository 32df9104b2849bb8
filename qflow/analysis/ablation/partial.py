"""partial: how far a measurement came, kept in a file so that it can go on after it was stopped."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qflow.atomic import write

if TYPE_CHECKING:
    from torch import nn

FORMAT = "qflow-sensitivity-partial 1"
INTERVAL_S = 2.0
"""Between two writes; a stop in an orderly way writes at once."""

Sums = dict[str, Sequence[float]]
"""`<switch>/<output>/<metric>` to the state of that metric."""


@dataclass
class Partial:
    """What is done: all of the first `batches` batches, and `switches` tensors of the next."""

    key: str
    """Digest of everything the result depends on but the batches."""
    path: Path | None = None
    batches: int = 0
    switches: int = 0
    evaluations: int = 0
    samples: int = 0
    seen: list[str] = field(default_factory=list)
    """Digest of every batch that was begun."""
    sums: Sums = field(default_factory=dict)
    written: float = field(default_factory=time.monotonic)

    @classmethod
    def open(cls, path: Path | None, key: str) -> Partial:
        """What the file holds; a new start where it is missing, damaged or of something else."""
        fresh = cls(key, path)
        if path is None or not path.is_file():
            return fresh
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.pop("format") != FORMAT or found["key"] != key:
                return fresh
            made = cls(**found, path=path)
            if not made.is_sound():
                return fresh
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return fresh
        if made.batches and not made.switches:
            # the last batch is entered once more, with nothing left to do: that shows the switches
            made.batches, made.switches = made.batches - 1, sys.maxsize
        return made

    def is_sound(self) -> bool:
        counts = (self.batches, self.switches, self.evaluations, self.samples)
        return all(type(c) is int and c >= 0 for c in counts) and len(self.seen) >= self.batches

    def save(self, now: bool = False) -> None:
        """Write what is done, if the last time is a while ago. Raises OSError."""
        if self.path is None or (not now and time.monotonic() - self.written < INTERVAL_S):
            return
        names = ("key", "batches", "switches", "evaluations", "samples", "seen", "sums")
        data: dict[str, Any] = {"format": FORMAT, **{n: getattr(self, n) for n in names}}
        write(self.path, json.dumps(data))
        self.written = time.monotonic()

    def remove(self) -> None:
        """The measurement is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def key_of(prepared: nn.Module, parts: object) -> str:
    """Digest of every parameter and buffer, and of `parts`, which is JSON data."""
    total = sha256(json.dumps(parts, sort_keys=True).encode())
    for name, tensor in prepared.state_dict().items():
        array = tensor.detach().cpu().contiguous().numpy()
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def digest_of(batch: Any) -> str:
    """Digest of the tensors of a batch."""
    from torch import Tensor
    from torch.utils._pytree import tree_leaves

    total = sha256()
    for value in tree_leaves(batch):
        if isinstance(value, Tensor):
            array = value.detach().cpu().contiguous().numpy()
            total.update(f"{array.dtype.str} {array.shape}\n".encode())
            total.update(array.tobytes())
        else:
            total.update(repr(value).encode())
    return total.hexdigest()
