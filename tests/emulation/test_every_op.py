"""Every operator that is registered: within its stated error of the float meaning, on its examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from qflow import registry
from qflow.emulation.op import Example, Op, op
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import PROFILES, lowered, one_op, outputs

INTEGER = [n for n in registry.names("emulation.ops") if op(n).integer]
CASES = [(n, i) for n in INTEGER for i in range(len(op(n).examples))]


def prepared(operator: Op, example: Example, dtype: str, weight_dtype: str = "int8", seed: int = 0):
    """The operator on random data that fills its grids, and those data."""
    random = np.random.default_rng(seed)
    top = 127 if dtype == "int8" else 32767
    inputs = [random.normal(size=s).astype(np.float32) for s in example.shapes]
    scales = [float(np.abs(x).max()) / top for x in inputs]
    if operator.name == "cat":
        scales = [max(scales)] * len(scales)
    weight = bias = None
    if example.weight is not None:
        weight = random.normal(size=example.weight).astype(np.float32)
        bias = random.normal(size=outputs(operator.name, example)).astype(np.float32)
    graph = one_op(
        operator.name,
        example,
        scales,
        scales[0],
        dtype=dtype,
        weight=weight,
        bias=bias,
        weight_dtype=weight_dtype,
    )
    if operator.role == "gemm" or operator.name == "add":
        out = np.abs(meaning(graph, inputs)).max() / top
        graph = one_op(
            operator.name,
            example,
            scales,
            float(out),
            dtype=dtype,
            weight=weight,
            bias=bias,
            weight_dtype=weight_dtype,
        )
    return graph, inputs


def on_grid(values: np.ndarray, grid) -> np.ndarray:
    view = [1] * values.ndim
    if grid.scale.size > 1:
        view[grid.axis] = -1
    scale = grid.scale.reshape(view).astype(np.float32)
    return np.clip(np.rint(values / scale), grid.dtype.qmin, grid.dtype.qmax) * scale


def meaning(graph, inputs) -> np.ndarray:
    """The float operator on values that lie on their grids, weights and bias too."""
    node = next(n for n in graph.nodes if n.id == "op")
    quants = [n for n in graph.nodes if n.op == "quant"]
    if node.weight is not None:
        node = replace(node, weight=on_grid(node.weight, node.weight_grid).astype(np.float64))
        repeats = len(node.bias) // node.weight_grid.scale.size
        step = quants[0].grid.scale.astype(np.float64) * np.tile(node.weight_grid.scale, repeats)
        node = replace(node, bias=np.rint(node.bias / step) * step)
    values = [
        torch.from_numpy(on_grid(x, q.grid).astype(np.float64))
        for x, q in zip(inputs, quants, strict=True)
    ]
    operands = values[:-1] if node.residual else values
    result = op(node.op).meaning(node, *operands)
    if node.residual:
        result = result + values[-1]
    if node.activation:
        result = op(node.activation).meaning(node, result)
    return result.numpy()


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize(("name", "index"), CASES)
def test_within_the_error_it_states(name: str, index: int, dtype: str) -> None:
    operator = op(name)
    graph, inputs = prepared(operator, operator.examples[index], dtype)
    node = next(n for n in graph.nodes if n.id == "op")
    result = oracle.run(lowered(graph), {f"x{i}": x for i, x in enumerate(inputs)})["y"]
    wide = np.clip(
        meaning(graph, inputs) / node.grid.scale[0], node.grid.dtype.qmin, node.grid.dtype.qmax
    )
    error = np.abs(result.astype(np.float64) / node.grid.scale[0] - wide).max()
    assert error <= operator.within[dtype] + 1e-4


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize(("name", "index"), CASES)
def test_oracle_and_fast_path_agree(name: str, index: int, dtype: str, profile: str) -> None:
    operator = op(name)
    graph, inputs = prepared(operator, operator.examples[index], dtype, dtype, seed=1)
    integer = lowered(graph, profile)
    keep = [n.id for n in integer.nodes if n.op != "input"]
    slow = oracle.run(integer, {f"x{i}": x for i, x in enumerate(inputs)}, keep)
    quick = TorchRuntime(integer).run(
        {f"x{i}": torch.from_numpy(x) for i, x in enumerate(inputs)}, keep
    )
    for key in (*keep, "y"):
        assert slow[key].dtype == quick[key].numpy().dtype
        assert slow[key].tobytes() == quick[key].contiguous().numpy().tobytes()


@pytest.mark.parametrize("name", registry.names("emulation.ops"))
def test_says_what_it_is(name: str) -> None:
    operator = op(name)
    assert operator.name == name
    # tracing itself makes constants, so nothing in a model stands for one
    assert operator.modules or operator.functions or name == "constant"
    assert operator.weight_axis is None or operator.role == "gemm"
    assert not operator.integer or (operator.examples and set(operator.within) == {"int8", "int16"})
