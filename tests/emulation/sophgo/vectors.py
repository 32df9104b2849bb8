"""A directory of vectors: networks, and what the vendor's compiler made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

FAMILIES: Mapping[str, str] = {
    "bm1684x": "mul32",
    "bm1688": "mul32",
    "bm1684": "shift8",
    "cv181x": "q31",
    "cv183x": "q31",
}


@dataclass(frozen=True)
class Network:
    """A float graph with the thresholds given to the tool."""

    name: str
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    thresholds: Mapping[str, tuple[float, float, float]]
    """Tensor to (threshold, min, max)."""
    ops: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Case:
    """One network on one processor."""

    name: str
    processor: str
    network: Network
    ops: tuple[Mapping[str, Any], ...]
    """The lowered operators: type, ins, outs, in_types, out_types, attrs."""
    on_chip: tuple[str, ...]
    """Outputs that the chip model gives as the interpreter does."""
    compared_on_chip: bool
    path: Path

    @property
    def family(self) -> str:
        return FAMILIES[self.processor]

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Every array of the file; keys with their prefix: `fw.w`, `qw.table`, `t.x`, `cm.y`."""
        with np.load(self.path) as file:
            return {key: file[key] for key in file.files}

    def tensor(self, name: str, prefix: str = "t") -> np.ndarray | None:
        """A tensor of the interpreter (`t`) or of the chip model (`cm`, where it differs)."""
        found = self.arrays.get(f"{prefix}.{name}")
        if found is None:
            return None
        return self.arrays[f"in.{name}"] if found.size == 0 else found

    def float_weights(self) -> Mapping[str, np.ndarray]:
        return {k[3:]: v for k, v in self.arrays.items() if k.startswith("fw.")}


def read(directory: Path) -> Iterator[Case]:
    """Every case that the vendor's tool lowered, aliases included."""
    index = json.loads((directory / "index.json").read_text())
    networks = {name: _network(name, found) for name, found in index["nets"].items()}
    whole = {case["case"]: case for case in index["cases"] if "ops" in case}
    for case in index["cases"]:
        if "error" in case:
            continue
        found = whole.get(case.get("same_as", case["case"]))
        path = directory / (found["file"] if found else "")
        if found is None or not path.is_file():
            continue
        chip = case.get("cmodel", {})
        yield Case(
            case["case"],
            case["processor"],
            networks[case["net"]],
            tuple(found["ops"]),
            tuple(chip.get("equal", ())),
            bool(chip),
            path,
        )


def _network(name: str, found: Mapping[str, Any]) -> Network:
    return Network(
        name,
        {k: tuple(v) for k, v in found["inputs"].items()},
        tuple(found["outputs"]),
        {k: tuple(v) for k, v in found["thresholds"].items()},
        tuple(found["top_ops"]),
    )
