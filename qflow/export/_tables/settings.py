"""settings: what the blocks of these targets may say, judged before any work is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan

FIRST_OPSET, LAST_OPSET = 13, 20
"""Of the exporter of torch."""
_EVERYWHERE = ("layout", "dtype")
"""Fields every block may have; the float model has neither."""


def words(
    export: ExportPlan, known: Mapping[str, tuple[str, Sequence[str]]]
) -> Iterator[Diagnostic]:
    """`known`: field to its default and the words it can be."""
    given = dict(export.settings)
    for name, (default, allowed) in known.items():
        value = given.get(name, default)
        if value not in allowed:
            text = ", ".join(f"`{w}`" for w in allowed)
            message = f"`{name}` cannot be `{value}`"
            notes = (f"it can be {text}",)
            yield Diagnostic("QF111", message, at=export.at, notes=notes)
    for name in _EVERYWHERE:
        if given.get(name):
            yield Diagnostic(
                "QF112",
                f"`export {export.target}` has no field `{name}`",
                at=export.at,
                help="leave it out: the model beside it is in float, as it was declared",
            )


def opset(export: ExportPlan) -> Iterator[Diagnostic]:
    """QF111 outside of what the exporter knows; one of another kind was reported before."""
    given = dict(export.settings).get("opset", FIRST_OPSET)
    if isinstance(given, int) and not FIRST_OPSET <= given <= LAST_OPSET:
        message = f"opset {given} is none of {FIRST_OPSET} to {LAST_OPSET}"
        yield Diagnostic("QF111", message, at=export.at, help="write `opset = 17`")
