"""parity: an imported model held against its file, run by the runtime the file was written for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.frontends.refusing import one_line
from qflow.frontends.source import Source

FAILURES = (RuntimeError, ValueError, TypeError, LookupError, NotImplementedError)
"""What runtimes raise for inputs they cannot take."""


@dataclass(frozen=True)
class Parity:
    """What was measured."""

    difference: float
    """The largest one of any output."""
    largest: float
    """The largest output."""
    runtime: str

    @property
    def relative(self) -> float:
        return self.difference / self.largest if self.largest else self.difference

    def __str__(self) -> str:
        if not self.difference:
            return f"as {self.runtime} computes it, bit for bit"
        return f"{self.relative:.1e} of the largest output from {self.runtime}"


def measure(
    source: Source, names: Sequence[str], cases: Sequence[Mapping[str, Tensor]], shown: str
) -> Parity | None:
    """The largest difference over some inputs; `names` are the outputs.

    None where nothing is installed that runs the file. Raises QflowError: QF366 where the file
    cannot take the inputs, QF367 where a shape or dtype differs or a value is not finite.
    """
    if source.run is None:
        return None
    difference = largest = 0.0
    for inputs in cases:
        try:
            wanted = source.run({k: v.clone() for k, v in inputs.items()})
            with torch.no_grad():
                found = source.module(*(v.clone() for v in inputs.values()))
        except FAILURES as error:
            raise _cannot(shown, inputs, error) from error
        results = found if isinstance(found, tuple) else (found,)
        for name, a, b in zip(names, wanted, results, strict=True):
            if a.shape != b.shape or a.dtype != b.dtype:
                raise _other(shown, name, f"{b.dtype}{list(b.shape)}, not {a.dtype}{list(a.shape)}")
            if not a.numel():
                continue
            a, b = a.double(), b.double()
            if not torch.isfinite(a).all():
                raise _other(shown, name, "not finite in the file itself")
            difference = max(difference, (a - b).abs().nan_to_num(torch.inf).max().item())
            largest = max(largest, a.abs().max().item())
    return Parity(difference, largest, source.runtime)


def refuse_far(parity: Parity, tolerance: float, shown: str) -> None:
    """Raises QflowError QF367 where the difference is above the tolerance."""
    if parity.relative <= tolerance:
        return
    raise fail(
        Diagnostic(
            "QF367",
            f"the model read from `{shown}` is not what {parity.runtime} computes: an output "
            f"differs by {parity.difference:.3g}, {parity.relative:.1e} of the largest one",
            notes=(f"allowed: {tolerance:g} of the largest output, on the example inputs",),
            help="declare what the inputs hold with `example`; if they are right, set `tolerance`, "
            "or give the model by `entry`",
        )
    )


def _cannot(shown: str, inputs: Mapping[str, Tensor], error: Exception) -> QflowError:
    shapes = ", ".join(f"{k} {list(v.shape)}" for k, v in inputs.items())
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return fail(
        Diagnostic(
            "QF366",
            f"`{shown}` cannot take the declared inputs: {one_line(lines[-1])}",
            notes=(f"it was run on {shapes}",),
            help="write the sizes the file was made with; for a free batch, make the file with one",
        )
    )


def _other(shown: str, name: str, text: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF367",
            f"the output `{name}` of `{shown}` is {text}",
            help="declare what the inputs hold with `example`, or give the model by `entry`",
        )
    )
