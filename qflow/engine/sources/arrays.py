"""arrays: samples out of arrays by name, whose first dimension counts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.engine.sources.refusing import without
from qflow.plan.plan import DataSpec, PortPlan

TARGETS = ("target", "targets", "label", "labels")
"""What the array of targets may be called where the block does not say."""


@dataclass(frozen=True)
class Arrays:
    """The samples of a file."""

    count: int
    inputs: Mapping[str, str]
    """Input to the name of its array."""
    target: str | None
    pick: Callable[[str, int], np.ndarray]
    """One sample of an array."""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], Any]:
        inputs = {name: self.pick(key, index) for name, key in self.inputs.items()}
        return inputs, None if self.target is None else self.pick(self.target, index)


def arranged(
    spec: DataSpec,
    ports: tuple[PortPlan, ...],
    lengths: Mapping[str, int | None],
    pick: Callable[[str, int], np.ndarray],
    at: Span | None,
) -> Arrays:
    """Which array is which; `lengths` has every array, None for one without a first dimension.

    Raises QflowError QF373 for an array that is missing or shorter than the others.
    """
    keys = dict(spec.keys)
    inputs = {p.name: keys.get(p.name, p.name) for p in ports}
    for name, key in inputs.items():
        if key not in lengths:
            what = f"has no array `{key}` for the input `{name}`"
            raise without(spec.source, what, at, name, lengths)
    target = keys.get("target") or next(
        (n for n in TARGETS if n in lengths and n not in inputs.values()), None
    )
    if target is not None and target not in lengths:
        what = f"has no array `{target}` for the targets"
        raise without(spec.source, what, at, "target", lengths)
    strange = sorted(keys.keys() - inputs.keys() - {"target"})
    if strange:
        raise without(
            spec.source, f"has a key for `{strange[0]}`, which is no input", at, strange[0], inputs
        )
    used = [*inputs.values(), *([target] if target else [])]
    counts = {key: lengths[key] for key in used}
    count = counts[used[0]]
    if count is None or len(set(counts.values())) > 1:
        raise _uneven(spec, counts, at)
    return Arrays(count, inputs, target, pick)


def _uneven(spec: DataSpec, counts: Mapping[str, int | None], at: Span | None) -> Exception:
    listed = ", ".join(f"`{k}` {'a single number' if n is None else n}" for k, n in counts.items())
    return fail(
        Diagnostic(
            "QF373",
            f"the arrays of `{spec.source}` do not count the same samples: {listed}",
            at=at,
            help="the first dimension of every array counts the samples",
        )
    )
