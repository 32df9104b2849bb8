"""ports: inputs and outputs of the TFLite model, integers with the channels last unless asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.diagnostics import Diagnostic, fail
from qflow.export._onnx.ports import WHOLE, Port
from qflow.export._tflite.settings import FLOAT32, NHWC

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node, TensorType
    from qflow.export._tflite.settings import Settings

IMAGE = 4
TO_NHWC = (0, 2, 3, 1)
_PASSES = ("dequantize", "identity")


def input_port(graph: IntegerGraph, id_: str, settings: Settings) -> Port:
    """Raises QflowError QF501 for a dtype that is neither float32 nor that of its one grid."""
    node = graph.by_id[id_]
    name, wanted = node.address, settings.dtype_of(node.address)
    layout, shape = _laid_out(node, name, settings)
    if node.output.dtype == WHOLE:
        return Port(name, id_, WHOLE, layout, shape, node=id_)
    readers = [graph.by_id[u] for u in graph.users[id_]]
    grids = {_key(r.output) for r in readers if r.op == "quantize"}
    single = len(grids) == 1 and all(r.op == "quantize" for r in readers)
    if wanted == FLOAT32 or (not wanted and not single):
        return Port(name, id_, FLOAT32, layout, shape, node=id_)
    type_ = readers[0].output
    if not single or (wanted and wanted != type_.dtype):
        raise fail(_impossible(name, wanted, type_.dtype if single else FLOAT32))
    rounding = str(readers[0].attributes["rounding"])
    return Port(
        name, id_, type_.dtype, layout, shape, _scale(type_), None, type_.zero_point, id_, rounding
    )


def output_port(graph: IntegerGraph, name: str, id_: str, settings: Settings) -> Port:
    """Raises QflowError QF501 for a dtype that is neither float32 nor that of its integers."""
    wanted, node = settings.dtype_of(name), graph.by_id[id_]
    while node.op in _PASSES:
        node = graph.by_id[node.inputs[0]]
    type_ = node.output
    layout, shape = _laid_out(graph.by_id[id_], name, settings)
    if type_.dtype == WHOLE:
        return Port(name, node.id, WHOLE, layout, shape, node=id_)
    if wanted == FLOAT32 or (not wanted and type_.dtype == FLOAT32):
        return Port(name, id_, FLOAT32, layout, shape, node=id_)
    if wanted and wanted != type_.dtype:
        raise fail(_impossible(name, wanted, type_.dtype))
    return Port(
        name, node.id, type_.dtype, layout, shape, _scale(type_), None, type_.zero_point, id_
    )


def _laid_out(node: Node, name: str, settings: Settings) -> tuple[str, tuple[int, ...]]:
    shape = tuple(node.output.shape)
    if len(shape) != IMAGE:
        return "", shape
    layout = settings.layout_of(name)
    return layout, tuple(shape[i] for i in TO_NHWC) if layout == NHWC else shape


def _impossible(name: str, wanted: str, own: str) -> Diagnostic:
    return Diagnostic(
        "QF501",
        f"`{name}` cannot be exported as {wanted}: it is {own}",
        help=f"write `{name}: {own}`",
    )


def _key(type_: TensorType) -> tuple[str, tuple[float, ...], int]:
    return type_.dtype, _scale(type_), type_.zero_point


def _scale(type_: TensorType) -> tuple[float, ...]:
    return () if type_.scale is None else tuple(float(s) for s in type_.scale.ravel())
