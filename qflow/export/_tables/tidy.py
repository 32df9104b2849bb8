"""tidy: a captured model as it is shipped: the declared outputs, a name of ours on every tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qflow.export._onnx.packages import need
from qflow.export._tables import parameters

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

    from qflow.export._tables.capture import Captured

_COPY = "Identity"
_NO_VALUE = ("Constant", "Shape", "Size")


@dataclass(frozen=True)
class Tensor:
    """A tensor of the float model that an operator makes."""

    name: str
    op: str
    """The ONNX operator."""
    id: str
    """The address it belongs to, `address#1` for its second call."""
    is_own: bool
    """Whether it is the value of that address; else it lies on the way to it."""
    inputs: tuple[str, ...]
    """Tensors it is made from, parameters and sizes left out."""


@dataclass(frozen=True)
class FloatModel:
    """The value of every address lies in one tensor."""

    model: ModelProto
    inputs: tuple[str, ...]
    tensors: tuple[Tensor, ...]
    """Those of real values, in an order in which they can be computed."""
    names: dict[str, str]
    """Id to the tensor its value lies in; `ID.weight` and `ID.bias` to parameters."""
    axes: dict[str, int]
    """Of `ID.weight` the axis along which output channels lie."""


def tidy(captured: Captured) -> FloatModel:
    """The model with the outputs that were declared; copies of tensors are gone."""
    graph = captured.model.graph
    of = _copies(captured)
    nodes = [n for n in graph.node if n.op_type != _COPY]
    _rename(nodes, of)
    values = {id_: of(tensor) for id_, tensor in captured.tensors.items()}
    nodes = _needed(nodes, {values[id_] for _, id_ in captured.outputs})
    made = {t for n in nodes for t in n.output} | {*captured.inputs}
    values = {id_: tensor for id_, tensor in values.items() if tensor in made}
    ids = _first_ids(values)
    final = _final_names(nodes, captured, values, ids)
    owners = {final[t]: id_ for t, id_ in _owners(nodes, ids)}
    _rename(nodes, lambda name: final.get(name, name))
    names = {id_: final.get(tensor, tensor) for id_, tensor in values.items()}
    held, axes = parameters.named(nodes, graph, owners)
    marks = {o.name: o for o in graph.output}
    ends = {name: (names[id_], marks[captured.tensors[id_]]) for name, id_ in captured.outputs}
    _finish(graph, nodes, ends)
    own = set(names.values())
    tensors = tuple(_tensors(captured.model, nodes, owners, own))
    return FloatModel(captured.model, captured.inputs, tensors, {**names, **held}, axes)


def _copies(captured: Captured) -> Callable[[str], str]:
    """What a tensor is called once copies are gone: values keep the mark of their first address."""
    held = (i.name for i in captured.model.graph.initializer)
    fixed = {*captured.inputs, *held, *captured.tensors.values()}
    same: dict[str, str] = {}

    def of(name: str) -> str:
        while name in same:
            name = same[name]
        return name

    for node in captured.model.graph.node:
        if node.op_type != _COPY:
            continue
        source, copy = of(node.input[0]), node.output[0]
        keep, drop = (copy, source) if copy in fixed and source not in fixed else (source, copy)
        same[drop] = keep
    return of


def _rename(nodes: Iterable[NodeProto], of: Callable[[str], str]) -> None:
    """In place."""
    for node in nodes:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                names[place] = of(name)


def _needed(nodes: list[NodeProto], ends: set[str]) -> list[NodeProto]:
    """Those that lead to an output."""
    needed, kept = set(ends), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


def _first_ids(values: dict[str, str]) -> dict[str, str]:
    """Tensor to the first id whose value it is."""
    found: dict[str, str] = {}
    for id_, tensor in values.items():
        found.setdefault(tensor, id_)
    return found


def _final_names(
    nodes: list[NodeProto], captured: Captured, values: dict[str, str], ids: dict[str, str]
) -> dict[str, str]:
    """Declared names of outputs first, then addresses, then `address/conv` of what leads there."""
    taken = {*captured.inputs, *(name for name, _ in captured.outputs)}
    final = {name: name for name in captured.inputs}
    for name, id_ in captured.outputs:
        final.setdefault(values[id_], name)

    def unique(wanted: str) -> str:
        # a table is read by its spaces
        found = wanted = "_".join(wanted.split())
        count = 1
        while found in taken:
            count += 1
            found = f"{wanted}/{count}"
        taken.add(found)
        return found

    made = [(n, t) for n in nodes for t in n.output if t]
    for _, tensor in made:
        if tensor in ids and tensor not in final:
            final[tensor] = unique(ids[tensor])
    owners = dict(_owners(nodes, ids))
    for node, tensor in made:
        if tensor not in final:
            final[tensor] = unique(f"{owners[tensor]}/{node.op_type.lower()}")
    return final


def _owners(nodes: list[NodeProto], ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every tensor with the id whose value comes next; the exporter writes in execution order."""
    at = "tail"
    for node in reversed(nodes):
        at = next((ids[t] for t in node.output if t in ids), at)
        yield from ((t, ids.get(t, at)) for t in node.output)


def _finish(graph: Any, nodes: list[NodeProto], ends: dict[str, tuple[str, Any]]) -> None:
    """Nodes, outputs and the parameters that are read, in place. `ends`: name of an output to the
    tensor it is and the exporter's word on it."""
    helper = need("onnx.helper")
    outputs = [helper.make_value_info(name, info.type) for name, (_, info) in ends.items()]
    del graph.node[:], graph.output[:], graph.value_info[:]
    graph.output.extend(outputs)
    made = {t for n in nodes for t in n.output}
    for name, (tensor, _) in ends.items():
        if name not in made:
            # an input that is returned, or a tensor that is returned twice
            nodes.append(helper.make_node(_COPY, [tensor], [name]))
    for node in nodes:
        node.name = next(t for t in node.output if t)
    graph.node.extend(nodes)
    graph.name = "qflow"
    read = {name for node in nodes for name in node.input}
    for parameter in [i for i in graph.initializer if i.name not in read]:
        graph.initializer.remove(parameter)


def _tensors(
    model: ModelProto, nodes: list[NodeProto], owners: dict[str, str], own: set[str]
) -> Iterator[Tensor]:
    onnx = need("onnx")
    inferred = need("onnx.shape_inference").infer_shapes(model, strict_mode=True)
    known = (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)
    real = {v.name for v in known if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    constants = {t for n in nodes if n.op_type in _NO_VALUE for t in n.output}
    held = {i.name for i in model.graph.initializer} | constants
    for node in nodes:
        inputs = tuple(i for i in node.input if i in real and i not in held)
        for name in node.output:
            if name in real and name not in constants:
                id_ = owners.get(name, name)
                yield Tensor(name, node.op_type, id_, name in own, inputs)
