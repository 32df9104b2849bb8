"""any_size: whether the integer model of a model for any image size is one for any size as well.

It is made twice, of traces at two sizes; what differs but for shapes took the size of its trace for
good: numbers in a reshape, windows of a pool that follow the image.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qflow.diagnostics import EXIT, Diagnostic, QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.sizes import baked
from qflow.engine import colour, model, prepared
from qflow.engine.work import Work
from qflow.plan import sizes
from qflow.quantization import record

MOST_LISTED = 6


def for_any(graph: IntegerGraph, module: Any, work: Work) -> IntegerGraph:
    """The graph, marked as one for any size where the model is. Raises QflowError QF279 with every
    place that is made for the traced size."""
    if not sizes.are_free(work.plan.model.inputs):
        return graph
    spec, target = work.plan.model, work.plan.target
    again = model.load(spec, work.plan.graph, work.folder, size=sizes.OTHER)
    other = prepared.make(replace(work, model=again))
    prepared.put_back(other, prepared.tensors(module))
    prepared.set_all(other, work, "validation")
    deployed = record(colour.deployed(other, work))
    found = baked(graph, lower(deployed, work.march, target.profile, target.unlisted).graph)
    if found:
        raise QflowError(_baked([n.address for n in found], work), EXIT.failed)
    return replace(graph, any_size=True)


def _baked(addresses: list[str], work: Work) -> tuple[Diagnostic, ...]:
    """One for every address, of which there may be several nodes."""
    input_at = dict(work.plan.model.fields).get("input", work.plan.model.at)
    places = list(dict.fromkeys(addresses))
    more = len(places) - MOST_LISTED
    return (
        Diagnostic(
            "QF279",
            "the integer model is made for one image size, and `input` leaves it free",
            at=input_at,
            notes=(
                f"the size of the trace is fixed at {', '.join(f'`{a}`' for a in places[:6])}"
                + (f" and {more} more" if more > 0 else ""),
            ),
            help="write the size in `input`, or compute what is fixed there from the tensor",
        ),
    )
