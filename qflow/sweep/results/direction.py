"""direction: whether more of a metric is better, as its class says."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from qflow import registry
from qflow.diagnostics import QflowError
from qflow.plan.plan import DataSpec

KIND = "analysis.metrics"

Direction = Callable[[str], bool]
"""`integer.accuracy` to whether higher is better."""


def own(name: str) -> bool:
    """Of metrics that are registered; higher is better where nobody says otherwise."""
    word = name.rpartition(".")[2]
    return _higher(registry.load(KIND, word)) if word in registry.names(KIND) else True


def of_data(data: Iterable[DataSpec], folder: Path) -> Direction:
    """As `own`, and of the user's metrics, `package.module:Name` in a data block.

    `folder` is that of the file, where their modules may lie. They are imported when asked for.
    """
    entries = {_word(d.metric): d.metric for d in data if d.metric and ":" in d.metric}

    def direction(name: str) -> bool:
        entry_point = entries.get(name.rpartition(".")[2])
        return own(name) if entry_point is None else _of_user(entry_point, folder)

    return direction


def _word(metric: str) -> str:
    """What results call it."""
    return metric.rpartition(":")[2]


def _of_user(entry_point: str, folder: Path) -> bool:
    from qflow.engine import entry  # here: it is for other people's code, which may import torch

    try:
        return _higher(entry.find(entry_point, folder))
    except QflowError:
        # every job says so itself, and none has measured it
        return True


def _higher(metric: Any) -> bool:
    return bool(getattr(metric, "higher_is_better", True))
