"""profiled: times per operator, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qflow import loops

if TYPE_CHECKING:
    from qflow.emulation.runtimes.timing import Timed
    from qflow.engine.profiling import Profiled

FORMAT_VERSION = "1.0"
NOTHING_SUMMED = "-"
WITHOUT_LOOPS = (
    "passes run in torch, several for one: `pip install qflow[fast]` compiles them (Numba)"
)
LITTLE = 0.01
"""Share of the time below which a row is dim."""


def show(found: Profiled) -> RenderableType:
    """Every operator in the order it runs, then the share of each carrier."""
    threads = f"{found.threads} thread{'s' * (found.threads > 1)}"
    title = (
        f"{found.march}, {found.profile}: {found.seconds * 1e3:.2f} ms for a batch of "
        f"{found.batch} on {found.device}, {threads}, median of {found.runs} runs"
    )
    parts = [Text(title, "bold"), _nodes(found), Text(), _carriers(found)]
    if not loops.is_there():
        parts.append(Text(f"\n{WITHOUT_LOOPS}"))
    return Group(*parts)


def as_json(found: Profiled) -> str:
    """One object: format_version, how it was timed, and `nodes` in the order they run."""
    total = found.seconds
    return json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "march": found.march,
            "profile": found.profile,
            "batch": found.batch,
            "runs": found.runs,
            "threads": found.threads,
            "device": found.device,
            "seconds": total,
            "nodes": [_node(n, total) for n in found.nodes],
        },
        indent=2,
    )


def _node(node: Timed, total: float) -> dict[str, Any]:
    return {
        "id": node.id,
        "address": node.address,
        "op": node.op,
        "shape": list(node.shape),
        "dtype": node.dtype,
        "seconds": node.seconds,
        "share": _share(node.seconds, total),
        "carrier": node.carrier or None,
        "bound": node.bound or None,
        "why": node.why or None,
    }


def _nodes(found: Profiled) -> Table:
    table = _table(("operator", "address", "output"), ("ms", "share"), ("carrier", "largest sum"))
    table.add_column("why", overflow="fold")
    for node in found.nodes:
        share = _share(node.seconds, found.seconds)
        table.add_row(
            node.op,
            node.address,
            f"{node.dtype} {'x'.join(map(str, node.shape))}",
            f"{node.seconds * 1e3:.3f}",
            f"{share:.1%}",
            node.carrier or NOTHING_SUMMED,
            f"{node.bound:,}" if node.bound else "",
            node.why,
            style="dim" if share < LITTLE else None,
        )
    return table


def _carriers(found: Profiled) -> Table:
    seconds: dict[str, float] = defaultdict(float)
    count: dict[str, int] = defaultdict(int)
    for node in found.nodes:
        seconds[node.carrier] += node.seconds
        count[node.carrier] += 1
    table = _table(("carrier",), ("operators", "ms", "share"), ())
    for carrier in sorted(seconds, key=lambda name: -seconds[name]):
        table.add_row(
            carrier or f"{NOTHING_SUMMED} (nothing is summed)",
            str(count[carrier]),
            f"{seconds[carrier] * 1e3:.3f}",
            f"{_share(seconds[carrier], found.seconds):.1%}",
        )
    return table


def _table(left: tuple[str, ...], right: tuple[str, ...], more: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right")
    for name in more:
        table.add_column(name, justify="left" if name == "carrier" else "right")
    return table


def _share(seconds: float, total: float) -> float:
    return seconds / total if total else 0.0
