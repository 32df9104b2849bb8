"""dump: what `qflow dump` does: run lanes over data and write their tensors, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic, fail
from qflow.engine.console import Console
from qflow.engine.lockstep import brought_up
from qflow.plan import address

if TYPE_CHECKING:
    import numpy as np

    from qflow.analysis.divergence import Tensor
    from qflow.emulation.graph import IntegerGraph, Node
    from qflow.engine.dump_index import Entry, Index
    from qflow.engine.work import Work

DUMP = "dump"
FOLDER = "dump"
"""In the folder of the run."""
REORDERING = ("topk",)
"""Operators whose output has an order that near values may swap."""
FLOATS = ("float", "fake_quant")
"""Lanes whose tensors are real values."""


@dataclass(frozen=True)
class Asked:
    lanes: tuple[str, ...]
    patterns: tuple[str, ...] = ("**",)
    """Globs of addresses."""
    real: bool = False
    """Real values also where there are integers."""
    form: str = "safetensors"
    """npz or safetensors."""
    data: str | None = None
    samples: int | None = None
    part_bytes: int = 64 << 20
    """A file is closed when it has as many."""
    to: Path | None = None


@dataclass(frozen=True)
class Dumped:
    lane: str
    folder: Path
    index: Index


def dump(
    path: Path, settings: Mapping[str, str], out: Path | None, asked: Asked, console: Console
) -> tuple[Dumped, ...]:
    """Write each lane in a folder of its own name. What an earlier attempt wrote is kept.

    Raises QflowError as `run`, QF530 for a lane there is not, QF382 for a pattern that chooses
    nothing, QF316 where nothing can be written.
    """
    with brought_up(path, settings, out, console) as (work, folder):
        root = asked.to or folder.root / FOLDER
        return _write(work, asked, root)


def _write(work: Work, asked: Asked, root: Path) -> tuple[Dumped, ...]:
    from qflow.engine import colour, compare, digest
    from qflow.engine.dump_index import Index
    from qflow.engine.dump_writer import Writer

    lanes = compare.lanes_of(work, asked.lanes)
    samples = compare.samples_of(work, asked.data, asked.samples)
    made = {stage: dict(made.digests) for stage, made in sorted(work.made.items())}
    key = [made, samples.digest, samples.spec.batch, asked.patterns, asked.real, asked.form]
    writers = {
        lane: Writer(
            root / lane,
            Index(digest.of_json([*key, asked.part_bytes, lane]), lane, _values(lane, asked.real)),
            asked.form,
            asked.part_bytes,
        )
        for lane in lanes.by_name
    }
    unstable = _unstable(lanes.graph)
    open_ = {lane: w for lane, w in writers.items() if not w.index.complete}
    seen = 0
    with work.console.progress(DUMP, len(samples), "samples") as step:
        for batch in samples.batches() if open_ else ():
            given = colour.camera(batch.inputs, work)
            for lane, writer in open_.items():
                # what is there already is passed by: data that is drawn must be drawn in order
                if seen < writer.start:
                    continue
                found = lanes.by_name[lane](batch.inputs if lane in compare.MODELS else given)
                names = _chosen(tuple(found), asked.patterns, lane)
                stored = {
                    n: _stored(found[n], lanes.graph.by_id.get(n), writer.index.values, unstable)
                    for n in names
                }
                writer.add(
                    len(batch),
                    {n: array for n, (array, _) in stored.items()},
                    {n: entry for n, (_, entry) in stored.items()},
                )
            seen += len(batch)
            step.advance(len(batch))
    return tuple(Dumped(lane, w.folder, w.end()) for lane, w in writers.items())


def _values(lane: str, real: bool) -> str:
    return "real" if real or lane in FLOATS else "integers"


def _stored(
    tensor: Tensor, node: Node | None, values: str, unstable: Mapping[str, str]
) -> tuple[np.ndarray, Entry]:
    import numpy as np

    from qflow.engine.dump_index import Entry, Grid

    op, why = ("", "") if node is None else (node.op, unstable.get(node.id, ""))
    whole = node is not None and node.output.scale is not None and tensor.scale is not None
    if values == "real" or not whole:
        array, grid = tensor.values.astype(np.float32), None
    else:
        assert node is not None
        type_ = node.output
        integers = np.rint(tensor.values / tensor.scale) + type_.zero_point
        array = integers.astype(type_.dtype)
        scale = tuple(float(s) for s in np.ravel(type_.scale))
        grid = Grid(scale, type_.zero_point, type_.axis)
    return array if array.ndim else array.reshape(1), Entry(op, grid, why)


def _unstable(graph: IntegerGraph) -> dict[str, str]:
    """Nodes whose values lie in an order that near ties decide, and the operator that decides."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        causes = [found[i] for i in node.inputs if i in found]
        if node.op in REORDERING or causes:
            found[node.id] = causes[0] if causes else f"`{node.id}` ({node.op}) orders its values"
    return found


def _chosen(names: tuple[str, ...], patterns: Iterable[str], lane: str) -> tuple[str, ...]:
    """Tensors a pattern covers, by address or by name; in the order in which they are computed."""
    chosen: set[str] = set()
    for pattern in patterns:
        covers = address.covering(pattern)
        found = {n for n in names if covers(n) or covers(address_of(n))}
        if not found:
            near = address.nearest(pattern, map(address_of, names))
            raise fail(
                Diagnostic(
                    "QF382",
                    f"`{pattern}` chooses no tensor of the lane `{lane}`",
                    notes=(f"the nearest are {', '.join(f'`{n}`' for n in near)}",) if near else (),
                    help="a `*` is one part of an address, a `**` any number of them",
                )
            )
        chosen |= found
    return tuple(n for n in names if n in chosen)


def address_of(name: str) -> str:
    """Without the number of a call and of a part: `a.b#1` and `a.b:0` are of `a.b`."""
    return name.partition("#")[0].partition(":")[0]
