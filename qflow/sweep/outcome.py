"""outcome: what is known of one point when its job is over: what tables and plots are made of."""

from collections.abc import Mapping
from typing import Any

from qflow.records import dataclass


@dataclass(frozen=True)
class Outcome:
    name: str
    """Of the point."""
    values: tuple[tuple[str, str], ...]
    """What the sweep varies, in its order: param to value, as `--set` takes it."""
    exit_code: int
    """As of `qflow run`: 0 well, 1 an assert is false, 2 and 3 errors."""
    metrics: tuple[tuple[str, float], ...] = ()
    """`integer.accuracy` and so on: lane and metric, of the data the summary is about. Empty where
    the job did not come so far."""
    weight_bytes: int = 0
    """See `plan/cost.py`."""
    bit_operations: int = 0
    """Of one sample, see `plan/cost.py`."""
    broken: tuple[str, ...] = ()
    """Asserts that are false, as written."""
    stages: tuple[tuple[str, str, float], ...] = ()
    """Per stage `ran`, `reused` or `resumed`, and its seconds."""
    diagnostics: tuple[Mapping[str, Any], ...] = ()
    """Errors and warnings, as the JSON renderer has them."""

    def metric(self, name: str) -> float | None:
        """None where the job did not measure it."""
        return dict(self.metrics).get(name)
