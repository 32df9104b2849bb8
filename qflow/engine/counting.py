"""counting: a metric that is counted batch by batch; a failure is its own, its result a number."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.diagnostics import EXIT, Diagnostic, Span, fail
from qflow.engine import entry


class Counter:
    """A fresh metric, ours or of an entry point."""

    def __init__(self, kind: Any, name: str, at: Span | None) -> None:
        """`kind` is called for the metric. Raises QflowError QF312 when it cannot be."""
        self.name, self.at = name, at
        with entry.UserCode(f"the metric `{name}`", at):
            self.made = kind()

    def update(self, outputs: Mapping[str, np.ndarray], target: np.ndarray | None) -> None:
        """Count a batch. Raises QflowError QF315: outputs and targets do not fit, or it failed."""
        with entry.UserCode(f"the metric `{self.name}`", self.at, "QF315"):
            self.made.update(outputs, target)

    def result(self) -> float:
        """What came out. Raises QflowError QF312 for what is no number, QF403 if not finite."""
        with entry.UserCode(f"the metric `{self.name}`", self.at):
            value = float(self.made.result())
        if not math.isfinite(value):
            raise fail(
                Diagnostic(
                    "QF403",
                    f"the result of the metric `{self.name}` is not finite: {value}",
                    at=self.at,
                    help="return a finite number from its `result`",
                ),
                EXIT.failed,
            )
        return value
