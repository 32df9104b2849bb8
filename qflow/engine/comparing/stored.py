"""stored: one side of a comparison: a dump, or a file of arrays, as tensors read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.record import Damaged
from qflow.engine.comparing import npz, safetensors
from qflow.engine.comparing.arrays import Array
from qflow.engine.dump_index import Grid, Index, read_index

READERS = {".npz": npz.read, ".npy": npz.read_one, ".safetensors": safetensors.read}


@dataclass(frozen=True)
class Tensor:
    """One tensor of a side."""

    parts: tuple[Array, ...]
    """Along its first dimension."""
    grid: Grid | None = None
    """Of integers of a dump."""
    unstable: str = ""
    """Why the order of its values means nothing."""

    @property
    def is_whole(self) -> bool:
        return all(part.is_whole for part in self.parts)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """None where its parts do not lie behind one another."""
        tails = {part.shape[1:] for part in self.parts}
        if len(tails) != 1 or not all(part.shape for part in self.parts):
            return self.parts[0].shape if len(self.parts) == 1 else None
        return (sum(part.shape[0] for part in self.parts), *tails.pop())

    def blocks(self, real: bool) -> Iterator[np.ndarray]:
        """Values in float64, flat: `real` ones, or as they are stored. Raises Damaged, OSError."""
        for part in self.parts:
            place = 0
            for block in part.blocks():
                values = block.astype(np.float64)
                if real and self.grid is not None:
                    values = self.grid.real(values, place, part.shape)
                place += block.size
                yield values


@dataclass(frozen=True)
class Side:
    path: Path
    tensors: dict[str, Tensor]


def open_side(path: Path) -> Side:
    """A folder that `qflow dump` wrote, or a .npz, .npy or .safetensors file.

    Raises QflowError: QF302 where nothing is, QF380 for a file that cannot be read, QF381 for a
    dump that is not finished.
    """
    if not path.exists():
        raise fail(Diagnostic("QF302", f"there is no `{path.as_posix()}`"))
    try:
        if path.is_dir():
            return Side(path, _of_dump(path, read_index(path)))
        if path.suffix not in READERS:
            raise Damaged(f"it is none of {', '.join(READERS)}")
        return Side(path, {name: Tensor((a,)) for name, a in READERS[path.suffix](path).items()})
    except (Damaged, OSError) as why:
        raise unreadable(path, why) from None


def unreadable(path: Path, why: Exception) -> QflowError:
    """The QF380 for a file of tensors."""
    said = (why.strerror or str(why)) if isinstance(why, OSError) else str(why)
    return fail(
        Diagnostic(
            "QF380",
            f"`{path.as_posix()}` cannot be read as tensors: {said}",
            help="write it again: with `qflow dump`, or with `numpy.savez` and plain numbers",
        )
    )


def _of_dump(folder: Path, index: Index) -> dict[str, Tensor]:
    if not index.complete:
        raise fail(
            Diagnostic(
                "QF381",
                f"the dump in `{folder.as_posix()}` is not finished",
                help="call the same `qflow dump` again: it goes on where it stopped",
            )
        )
    parts = [READERS[Path(p.file).suffix](folder / p.file) for p in index.parts]
    found = {}
    for name, entry in index.tensors.items():
        held = tuple(part[name] for part in parts if name in part)
        if len(held) != len(parts):
            raise Damaged(f"`{name}` is not in every part")
        found[name] = Tensor(held, entry.grid, entry.unstable)
    return found
