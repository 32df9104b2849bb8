"""saved: an integer model read back from its file."""

from __future__ import annotations

from pathlib import Path

from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.record import Damaged
from qflow.export._model.call_json import from_json
from qflow.export._model.model import CALL, IntegerModel
from qflow.export._model.structure import Structure


def load(path: str | Path) -> IntegerModel:
    """The integer model of a file that `save`, or a run of a .qf file, wrote.

    Nothing of the file is executed. A file of a run has no structure: its inputs are arguments in
    order, several outputs a tuple. Raises QflowError: QF302 without the file, QF318 for a damaged
    one.
    """
    path = Path(path)
    graph, entries = file.read(path)
    if CALL not in entries:
        names = tuple(graph.by_id[i].address for i in graph.inputs)
        return IntegerModel(graph, Structure.flat(names, [name for name, _ in graph.outputs]))
    try:
        structure, name = from_json(entries[CALL])
        _fits(structure, graph)
    except Damaged as why:
        raise file.damaged(path, str(why)) from None
    return IntegerModel(graph, structure, name)


def _fits(structure: Structure, graph: IntegerGraph) -> None:
    inputs = {graph.by_id[i].address for i in graph.inputs}
    if not inputs <= {name for name, _, _ in structure.inputs}:
        raise Damaged("its call does not give every input")
    if not {parameter for _, parameter, _ in structure.inputs} <= set(structure.parameters):
        raise Damaged("an input of its call belongs to no argument")
    if sorted(structure.outputs) != sorted(name for name, _ in graph.outputs):
        raise Damaged("its call returns other tensors than it has")
