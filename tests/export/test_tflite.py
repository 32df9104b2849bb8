"""tflite: the file it writes, its ports, its tables, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from qflow.diagnostics import QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.op import op
from qflow.emulation.runtimes import numpy as oracle
from qflow.export._model.finished import Finished
from qflow.export._tflite.session import Runnable
from qflow.export.tflite import Tflite
from qflow.march import load
from tests.emulation.case import case
from tests.export.graphs import Net, export
from tests.export.lowered import lowered


def written(graph: IntegerGraph, path: Path, **settings: object) -> Runnable:
    Tflite().write(Finished(graph), export(**settings), path)
    return Tflite().read(path)


def network() -> tuple[Net, str]:
    """Explicit padding, strides, channels of their own, a sum, a pool and a linear layer."""
    net = Net(shape=(3, 9, 8))
    first = net.conv("c1", ("quant",), 0.05, (6, 3, 3, 3), stride=2, padding=1, activation="relu")
    second = net.conv("c2", (first,), 0.06, (6, 1, 3, 3), padding=1, groups=6)
    total = net.add("sum", "add", (first, second), 0.08)
    pooled = net.pool("pool", "max_pool2d", total, 0.08, 2, 2, 0)
    flat = net.add("flat", "flatten", (pooled,), 0.08, attributes={"start": 1, "end": 3})
    return net, net.gemm("fc", "linear", (flat,), 0.1, (5, 6 * 2 * 2))


@pytest.mark.parametrize("profile", ["tflite.reference", "tflite.builtin", "xnnpack"])
def test_integers_are_qflows_whatever_the_batch(profile: str, tmp_path: Path) -> None:
    net, last = network()
    graph = lowered(net, last, profile=profile)
    images = net.images(64)
    ours = oracle.run(graph, images)["y"]
    for batch in (1, 5):
        runnable = written(graph, tmp_path / "x.tflite", batch=batch)
        assert runnable.profile == profile
        np.testing.assert_array_equal(ours, runnable.run(images)["y"])
    assert np.unique(ours).size > 30


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_ports_are_as_asked(layout: str, dtype: str, tmp_path: Path) -> None:
    net = Net(shape=(3, 6, 6))
    graph = lowered(net, net.conv("c", ("quant",), 0.05, (4, 3, 3, 3)))
    asked = {"image": layout, "y": layout}, {"image": dtype, "y": dtype}
    runnable = written(graph, tmp_path / "x.tflite", layout=asked[0], dtype=asked[1])
    images = net.images(3)
    np.testing.assert_array_equal(oracle.run(graph, images)["y"], runnable.run(images)["y"])
    assert [p.dtype for p in (*runnable.inputs, *runnable.outputs)] == [dtype, dtype]
    operators = [o for o in operations(tmp_path / "x.tflite") if o == "TRANSPOSE"]
    assert len(operators) == (0 if layout == "nhwc" else 2)


def test_names_are_addresses(tmp_path: Path) -> None:
    net, last = network()
    written(lowered(net, last), tmp_path / "x.tflite")
    names = json.loads((tmp_path / "x.names.json").read_text())
    assert {"c1", "c2", "sum", "pool", "fc"} <= set(names["tensors"])
    assert names["tensors"]["c1"]["tensor"] == "c1"
    assert names["floats"] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [("add", 2), ("elu", 1), ("gelu", 1), ("leaky_relu", 0), ("slice", 0), ("roll", 0)],
)
def test_operators_and_tables(name: str, index: int, tmp_path: Path) -> None:
    made = case(op(name), op(name).examples[index], "int8", False, seed=2)
    graph = lower(made.graph, load("tflite"), "tflite.builtin", "float").graph
    ours = oracle.run(graph, made.inputs)
    theirs = written(graph, tmp_path / "x.tflite").run(made.inputs)
    assert all(np.array_equal(ours[k], theirs[k]) for k in ours)


def test_a_float_norm_needs_leave(tmp_path: Path) -> None:
    made = case(op("layer_norm"), op("layer_norm").examples[2], "int8", False)
    graph = lower(made.graph, load("tflite"), "tflite.reference", "float").graph
    with pytest.raises(QflowError) as error:
        written(graph, tmp_path / "x.tflite")
    assert error.value.diagnostics[0].code == "QF502"
    assert "floats = true" in (error.value.diagnostics[0].help or "")
    assert not list(tmp_path.iterdir())
    theirs = written(graph, tmp_path / "x.tflite", floats=True).run(made.inputs)["y0"]
    ours = oracle.run(graph, made.inputs)["y0"]
    step = (
        float(graph.by_id["op"].output.scale[0])
        if graph.by_id["op"].output.scale is not None
        else 1
    )
    assert np.abs(ours - theirs).max() <= step * 1.001


def test_what_tflite_lacks_is_refused_with_its_address(tmp_path: Path) -> None:
    net = Net(shape=(3, 6, 6))
    graph = lowered(net, net.conv("c", ("quant",), 0.05, (3, 3, 3, 3)))
    nodes = tuple(
        replace(n, attributes={**n.attributes, "high": 50}) if n.id == "c" else n
        for n in graph.nodes
    )
    with pytest.raises(QflowError) as error:
        written(replace(graph, nodes=nodes), tmp_path / "x.tflite")
    assert "at `c`" in error.value.diagnostics[0].message


def operations(path: Path) -> list[str]:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    words = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = [words[c.builtinCode] for c in model.operatorCodes]
    return [codes[o.opcodeIndex] for o in model.subgraphs[0].operators]
