"""lmdb: a database whose records are images, arrays of one sample, or Caffe's records of both.

LMDB maps its file into memory and trusts it: open only databases that somebody you trust wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from qflow.diagnostics import Span
from qflow.engine.sources import datum
from qflow.engine.sources.arrays import TARGETS
from qflow.engine.sources.images import single
from qflow.engine.sources.pixels import image
from qflow.engine.sources.refusing import damaged, package, without
from qflow.plan.plan import DataSpec, PortPlan
from qflow.plan.sources import Preprocess

_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"RIFF")


@dataclass(frozen=True)
class Database:
    """Records in the order of their keys."""

    file: Any
    keys: tuple[bytes, ...]
    spec: DataSpec
    ports: tuple[PortPlan, ...]
    at: Span | None

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> tuple[Mapping[str, np.ndarray], Any]:
        with self.file.begin() as transaction:
            raw = transaction.get(self.keys[index])
        try:
            return self._read(bytes(raw or b""), index)
        except (ValueError, SafetensorError) as error:
            raise damaged(self.spec.source, str(error), self.at, index) from error

    def _read(self, raw: bytes, index: int) -> tuple[Mapping[str, np.ndarray], Any]:
        if raw.startswith(_IMAGES):
            return {self._port.name: self._image(raw, index)}, None
        # the length of its header, then the header, which is JSON
        if raw[8:9] == b"{":
            return self._arrays(load_tensors(raw))
        found = datum.parse(raw)
        if found.encoded:
            return {self._port.name: self._image(found.data, index)}, found.label
        values = found.array()
        if self._port.dtype == "float32" and self.spec.preprocess is not None:
            how = self.spec.preprocess
            mean, scale = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (how.mean, how.scale))
            values = (values.astype(np.float32) - mean) * scale
        return {self._port.name: values.astype(self._port.dtype)}, found.label

    @property
    def _port(self) -> PortPlan:
        return single(self.spec, self.ports, self.at)

    def _image(self, raw: bytes, index: int) -> np.ndarray:
        how = self.spec.preprocess or Preprocess()
        shown = f"{self.spec.source}, sample {index}"
        return image(raw, shown, how, self._port, self.at)

    def _arrays(self, arrays: Mapping[str, np.ndarray]) -> tuple[Mapping[str, np.ndarray], Any]:
        """Arrays of one sample, by the names of the inputs or those the block has for them."""
        keys = dict(self.spec.keys)
        found = {}
        for port in self.ports:
            key = keys.get(port.name, port.name)
            if key not in arrays:
                what = f"has no array `{key}` for the input `{port.name}`"
                raise without(self.spec.source, what, self.at, port.name, arrays)
            found[port.name] = arrays[key]
        names = (keys["target"],) if "target" in keys else TARGETS
        return found, next((arrays[n] for n in names if n in arrays), None)


def opened(path: Path, spec: DataSpec, ports: tuple[PortPlan, ...], at: Span | None) -> Database:
    """Raises QflowError: QF372 for what is no database, QF405 without the package lmdb."""
    package_ = package("lmdb", "lmdb", "reading an LMDB database")
    try:
        file = package_.open(
            str(path), subdir=path.is_dir(), readonly=True, lock=False, create=False
        )
        with file.begin() as transaction, transaction.cursor() as cursor:
            keys = tuple(cursor.iternext(keys=True, values=False))
    except package_.Error as error:
        raise damaged(spec.source, str(error), at) from error
    return Database(file, keys, spec, ports, at)
