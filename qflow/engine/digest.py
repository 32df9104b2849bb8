"""digest: sha256 of what a stage reads, so that it reruns exactly when that changes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import qflow
from qflow import resources


def of_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def of_json(value: Any) -> str:
    """Of plain data; the order of keys does not matter."""
    return of_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def of_file(path: Path) -> str:
    with path.open("rb") as file:
        return _of_chunks(iter(lambda: file.read(1 << 20), b""))


def of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Of named arrays: names, dtypes, shapes and every byte."""
    total = Arrays()
    for name in sorted(arrays):
        total.add(name, arrays[name])
    return total.hexdigest()


class Arrays:
    """A running digest over named arrays."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, name: str, array: np.ndarray) -> None:
        head = f"{name} {array.dtype.str} {array.shape}\n"
        self._sha.update(head.encode())
        self._sha.update(np.ascontiguousarray(array).tobytes())

    def hexdigest(self) -> str:
        return self._sha.hexdigest()


@cache
def of_code() -> str:
    """Of qflow's own code and data files: another version never takes over an artifact."""
    package = Path(qflow.__file__).parent
    found = [p for pattern in ("*.py", "*.yaml") for p in package.rglob(pattern)]
    conf = resources.folder("conf")
    found += list(conf.rglob("*.yaml"))
    named = {_inside(p, package, conf): of_file(p) for p in found}
    return of_json(named)


def _inside(path: Path, package: Path, conf: Path) -> str:
    base = package if path.is_relative_to(package) else conf.parent
    return path.relative_to(base).as_posix()


def _of_chunks(chunks: Iterable[bytes]) -> str:
    sha = hashlib.sha256()
    for chunk in chunks:
        sha.update(chunk)
    return sha.hexdigest()
