"""The vendor's float graph as qflow's prepared graph: the same operators, weights and thresholds.

Ids are the vendor's tensor names. Of an input `x`, `x` are its floats and `x.quant` its integers;
of an output `y`, `y.dequant` are its floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qflow.dtype import DTYPES
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode
from tests.emulation.sophgo.forms import FORMS, Top, plain
from tests.emulation.sophgo.vectors import Case, Network

TOP = "top."


def prepared(case: Case) -> PreparedGraph:
    """The network of a case. Raises UnknownOperator."""
    network, weights = case.network, case.float_weights()
    shapes: dict[str, tuple[int, ...]] = {}
    constants: dict[str, np.ndarray] = {}
    nodes: list[PreparedNode] = []
    alias: dict[str, str] = {}
    for raw in network.ops:
        kind, name = raw["type"].removeprefix(TOP), raw["outs"][0]
        shape = tuple(raw["shapes"][0])
        shapes[name] = shape
        if kind == "Weight":
            if name in weights:
                constants[name] = weights[name].reshape(shape)
            continue
        if kind == "Input":
            nodes += _input(name, shape, network)
            alias[name] = f"{name}.quant"
            continue
        inputs = tuple(i for i in raw["ins"] if i is not None)
        known = tuple(shapes[i] for i in inputs)
        held = {i: constants[i] for i in inputs if i in constants}
        top = Top(kind, inputs, name, shape, raw["attrs"], known, held)
        nodes += _operator(top, network, alias, nodes)
    outputs = []
    for name in dict.fromkeys(network.outputs):
        nodes.append(PreparedNode(f"{name}.dequant", name, "dequant", (alias.get(name, name),)))
        outputs.append((name, f"{name}.dequant"))
    return PreparedGraph(tuple(nodes), tuple(network.inputs), tuple(outputs))


def grid(network: Network, name: str) -> tuple[Grid | None, str]:
    """Grid and dtype of a tensor as calibration leaves them, before ranges are propagated."""
    row = network.thresholds.get(name)
    if row is None:
        return None, "int8"
    threshold, least, _ = row
    dtype = "int8" if least < 0 else "uint8"
    scale = np.array([threshold / DTYPES[dtype].qmax], np.float64)
    return Grid(DTYPES[dtype], scale, lowest=least), dtype


def _input(name: str, shape: tuple[int, ...], network: Network) -> list[PreparedNode]:
    found, dtype = grid(network, name)
    quant = PreparedNode(
        f"{name}.quant", name, "quant", (name,), grid=found, out_dtype=dtype, shape=shape
    )
    return [PreparedNode(name, name, "input", (), shape=shape), quant]


def _operator(
    top: Top, network: Network, alias: Mapping[str, str], before: Sequence[PreparedNode]
) -> list[PreparedNode]:
    fields = dict(FORMS.get(top.type, plain)(top))
    read = fields.pop("reads", None)
    if read is None:
        read = [i for i in top.inputs if i not in top.constants or fields.get("constant")]
    fields.pop("constant", None)
    made = {n.id for n in before}
    added = [
        PreparedNode(i, i, "constant", (), weight=top.constants[i], shape=top.constants[i].shape)
        for i in read
        if i in top.constants and i not in made
    ]
    if top.attributes.get("do_relu"):
        fields["activation"] = "relu6" if top.attributes.get("relu_limit") == 6.0 else "relu"
    found, dtype = grid(network, top.output)
    for extra in fields.pop("extra", ()):
        added.append(extra)
        read.append(extra.id)
    node = PreparedNode(
        id=top.output,
        address=top.output,
        inputs=tuple(alias.get(i, i) for i in read),
        grid=found,
        out_dtype=dtype,
        shape=top.shape,
        **fields,
    )
    return [*added, node]
