"""json: a difference as data for programs; the promise of its version is that of a plan's."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from qflow.diagnostics import Diagnostic
from qflow.diagnostics.renderers.json import record
from qflow.plan.diff import Difference

FORMAT_VERSION = "1.0"


def plain(found: Difference, file: str, diagnostics: Iterable[Diagnostic] = ()) -> dict[str, Any]:
    """One file of the list that `qflow diff --format json` prints."""
    before, after = found.cost
    return {
        "file": file,
        "before": found.before.name,
        "after": found.after.name,
        "diagnostics": [record(d) for d in diagnostics],
        "same": found.same,
        "groups": [asdict(group) for group in found.groups],
        "modules": {
            "before": found.modules[0],
            "after": found.modules[1],
            "changed": found.changed,
            "added": found.count("modules", "added"),
            "removed": found.count("modules", "removed"),
        },
        "cost": {"before": asdict(before), "after": asdict(after)},
        "runs_again": list(found.again),
    }
