"""dump_writer: tensors that come batch by batch, in files of a bounded size; it can be gone on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from safetensors.numpy import save as as_safetensors

from qflow.emulation.record import Damaged
from qflow.engine import digest, files
from qflow.engine.dump_index import INDEX, Entry, Index, Part, read_index, write_index

SUFFIXES = {"npz": ".npz", "safetensors": ".safetensors"}


class Writer:
    """One lane. Batches are kept until they fill a file; a file and the index appear at once."""

    def __init__(self, folder: Path, index: Index, form: str, most_bytes: int) -> None:
        """Takes over what an earlier attempt at the very same dump wrote."""
        self.folder = folder
        self._form, self._most = form, most_bytes
        self._waiting: list[Mapping[str, np.ndarray]] = []
        self._samples = self._bytes = 0
        self.index = _taken_over(folder, index)
        self.start = self.index.samples
        """How many samples need not come again."""

    def add(
        self, samples: int, arrays: Mapping[str, np.ndarray], entries: Mapping[str, Entry]
    ) -> None:
        """Take in a batch; its arrays may be written only later. Raises QflowError QF316."""
        self.index = replace(self.index, tensors={**self.index.tensors, **entries})
        self._waiting.append(arrays)
        self._samples += samples
        self._bytes += sum(a.nbytes for a in arrays.values())
        if self._bytes >= self._most:
            self._flush()

    def end(self) -> Index:
        """Write what is left, and that the dump is complete. Raises QflowError QF316."""
        if self._waiting:
            self._flush()
        self.index = replace(self.index, complete=True)
        write_index(self.index, self.folder)
        return self.index

    def _flush(self) -> None:
        index = self.index
        arrays = {
            name: np.ascontiguousarray(np.concatenate([batch[name] for batch in self._waiting]))
            for name in self._waiting[0]
        }
        data = as_npz(arrays) if self._form == "npz" else as_safetensors(arrays)
        file = f"{len(index.parts):05d}{SUFFIXES[self._form]}"
        files.write(self.folder / file, data)
        part = Part(file, index.samples, self._samples, digest.of_bytes(data))
        self.index = replace(index, parts=(*index.parts, part))
        write_index(self.index, self.folder)
        self._waiting, self._samples, self._bytes = [], 0, 0


def as_npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An archive as `numpy.savez` writes it, whatever the names, and the same every time."""
    made = BytesIO()
    with ZipFile(made, "w", ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)
    return made.getvalue()


def _taken_over(folder: Path, index: Index) -> Index:
    """What is there of the same dump, as far as its files are whole; else nothing, removed."""
    try:
        there = read_index(folder)
    except (Damaged, OSError):
        there = index
    if there.asked != index.asked:
        there = index
    whole = 0
    for part in there.parts:
        path = folder / part.file
        if not path.is_file() or digest.of_file(path) != part.sha256:
            break
        whole += 1
    kept = there.parts[:whole]
    for suffix in SUFFIXES.values():
        for path in folder.glob(f"[0-9][0-9][0-9][0-9][0-9]{suffix}"):
            if path.name not in {part.file for part in kept}:
                files.remove(path)
    if not kept:
        files.remove(folder / INDEX)
        return index
    done = there.complete and whole == len(there.parts)
    return replace(there, parts=kept, complete=done)
