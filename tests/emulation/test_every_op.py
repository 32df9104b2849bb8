"""Every operator that is registered, on its examples: two implementations, one file, one meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from qflow import registry
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
from qflow.emulation.op import Call, Fast, Op, op
from qflow.emulation.profile import profile
from qflow.emulation.runtimes import _blocks
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes._calls import calls, runs_as_nhwc
from qflow.emulation.runtimes.torch import TorchRuntime, exact_kernels
from tests.emulation.build import PROFILES, march
from tests.emulation.case import Case, case, is_float

NAMES = registry.names("emulation.ops")
INTEGER = [n for n in NAMES if op(n).integer and type(op(n)).lower is not Op.lower]
CASES = [(n, i) for n in INTEGER for i in range(len(op(n).examples))]
FLOAT_CASES = [
    (n, i)
    for n in NAMES
    if op(n).integer or type(op(n)).real is not Op.real
    for i in range(len(op(n).examples + op(n).float_examples))
]
KINDS = (("int8", False), ("int16", False), ("uint8", True))
"""Dtypes of the grids, and whether their zero points are shifted."""
BORDERS = ("input", "quantize", "dequantize")
ALL_PROFILES = [profile(n).name for n in registry.names("emulation.profiles")]
CPU = torch.device("cpu")
FLOAT32_HOLDS = 1 << 24
SAME = 1e-9
"""Two libraries may differ in the last bits of a function and in the order of a sum: a few times
1e-16 of the largest value, and more where a formula cancels; a wrong formula is off by far more."""


@pytest.mark.parametrize(("name", "index"), CASES)
def test_within_the_error_it_states(name: str, index: int) -> None:
    operator = op(name)
    for dtype, shifted in KINDS:
        if dtype in (*operator.reads, *operator.writes):
            made = case(operator, operator.examples[index], dtype, shifted)
            within(made, operator.within["int16" if dtype == "int16" else "int8"])


def within(made: Case, most: float) -> None:
    results = oracle.run(lower(made.graph, march(), "tosa.single").graph, made.inputs)
    grid = made.output if any(map(is_float, made.meanings)) else None
    for k, wanted in enumerate(made.meanings):
        found = results[f"y{k}"]
        if not is_float(wanted):
            assert np.array_equal(found, wanted)
            continue
        assert grid is not None
        scale, zero, kind = float(grid.scale[0]), grid.zero_point, grid.dtype
        held = np.clip(wanted / scale, kind.qmin - zero, kind.qmax - zero)
        error = np.abs(found.astype(np.float64) / scale - held).max()
        # the dequantized float32 is rounded itself
        assert error <= most + 2.0**-23 * kind.qmax * 2, (kind, error)


@pytest.mark.usefixtures("both_paths")
@pytest.mark.parametrize(("name", "index"), CASES)
def test_oracle_fast_path_and_file_agree(name: str, index: int, tmp_path: Path) -> None:
    operator = op(name)
    for dtype, shifted in KINDS:
        if dtype not in (*operator.reads, *operator.writes):
            continue
        # of int16, weights as wide as activations: where accumulators overflow they saturate
        made = case(operator, operator.examples[index], dtype, shifted, dtype, seed=1)
        for rule in PROFILES:
            graph = lower(made.graph, march(), rule).graph
            slow = agree(graph, made.inputs)
            if rule == PROFILES[0]:
                file.save(graph, tmp_path / "x.qnn")
                again = file.load(tmp_path / "x.qnn")
                same_graph(graph, again)
                assert same(oracle.run(again, made.inputs), slow)
            if not of_profile(graph):
                break


@pytest.mark.usefixtures("both_paths")
@pytest.mark.parametrize(("name", "index"), CASES)
def test_any_batch_in_any_layout(name: str, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "BLOCK", 16)  # small tensors too are cut into blocks
    operator = op(name)
    made = case(operator, operator.examples[index], "int8")
    graph = lower(made.graph, march(), "mul15").graph
    for batch in (1, 5):
        inputs = {k: np.resize(x, (batch, *x.shape[1:])) for k, x in made.inputs.items()}
        slow = agree(graph, inputs)
        if any(n.output.layout for n in graph.nodes):
            turned = agree(lay_out(graph, "nhwc"), inputs)
            assert same({k: slow[k] for k, _ in graph.outputs}, turned)


@pytest.mark.usefixtures("both_paths")
@pytest.mark.parametrize("rule", [p for p in ALL_PROFILES if p not in PROFILES])
@pytest.mark.parametrize("name", INTEGER)
def test_other_profiles(name: str, rule: str) -> None:
    """What targets compute by rules of their own is compared with the targets elsewhere."""
    made = case(op(name), op(name).examples[0], "int8")
    try:
        graph = lower(made.graph, march(), rule).graph
    except QflowError as why:
        # a form the target does not compute, or one for which it wants grids inside
        if {d.code for d in why.diagnostics} <= {"QF502", "QF401"}:
            return
        raise
    agree(graph, made.inputs)


@pytest.mark.parametrize(("name", "index"), FLOAT_CASES)
def test_its_numpy_form_means_the_same(name: str, index: int) -> None:
    operator = op(name)
    example = (*operator.examples, *operator.float_examples)[index]
    shapes = example.shapes[:-1] if example.residual else example.shapes
    example = replace(example, activation=None, residual=False, shapes=shapes)
    made = case(operator, example, "int16")
    assert len(made.reals) == len(made.meanings)
    for mine, theirs in zip(made.reals, made.meanings, strict=True):
        assert mine.shape == theirs.shape
        if is_float(theirs):
            assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=SAME * np.abs(theirs).max())


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    operator = op(name)
    assert operator.name == name
    # tracing itself makes constants, so nothing in a model stands for one
    assert operator.modules or operator.functions or name == "constant"
    assert operator.weight_axis is None or operator.role == "gemm"
    if name in INTEGER:
        assert operator.examples
        assert set(operator.within) == {"int8", "int16"}


def agree(graph: IntegerGraph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the NumPy runtime gives for every node; the torch runtime must give the same bits, and so
    must each node alone, fed with its declared dtypes and with floats."""
    keep = [n.id for n in graph.nodes if n.op != "input"]
    slow = oracle.run(graph, inputs, keep)
    runtime = TorchRuntime(graph)
    assert same(slow, numpy_of(runtime.run(torch_of(inputs), keep)))
    for call, fast in zip(calls(graph), runtime._program(CPU), strict=True):
        if call.node.op not in BORDERS and not runs_as_nhwc(call):
            in_every_carrier(call, fast, slow | inputs)
    return slow


def in_every_carrier(call: Call, fast: Fast, values: dict[str, np.ndarray]) -> None:
    given = [values[i] for i in call.node.inputs]
    declared = [torch.from_numpy(np.array(x)) for x in given]
    floats = [x.double() if wide(x) else x.float() for x in declared]
    wanted = values[call.node.id]
    with torch.no_grad(), exact_kernels(CPU):
        for operands in (declared, floats):
            before = [x.clone() for x in operands]
            found = fast.run(*operands)
            assert np.array_equal(found.to(torch.int64).numpy(), wanted), operands[:1]
            assert all(map(torch.equal, before, operands)), "an operand was changed"


def wide(x: Tensor) -> bool:
    return bool(x.numel()) and int(x.long().abs().max()) > FLOAT32_HOLDS


def of_profile(graph: IntegerGraph) -> bool:
    """Whether another profile may give other integers."""
    rule = profile(graph.profile)
    return bool(rule.own) or any(
        c.of_profile for call in calls(graph) for c in call.operator.roles(call).values()
    )


def same_graph(one: IntegerGraph, other: IntegerGraph) -> None:
    assert set(one.constants) == set(other.constants)
    for key, value in one.constants.items():
        assert value.dtype == other.constants[key].dtype
        assert np.array_equal(value, other.constants[key])
    assert one.inputs == other.inputs
    assert one.outputs == other.outputs
    for mine, theirs in zip(one.nodes, other.nodes, strict=True):
        scales = mine.output.scale, theirs.output.scale
        assert (scales[0] is None) == (scales[1] is None)
        assert scales[0] is None or np.array_equal(*scales)
        plain = [replace(n, output=replace(n.output, scale=None)) for n in (mine, theirs)]
        assert plain[0] == plain[1]


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(
        one[k].dtype == other[k].dtype and one[k].tobytes() == other[k].tobytes() for k in one
    )


def torch_of(inputs: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {k: torch.from_numpy(v) for k, v in inputs.items()}


def numpy_of(outputs: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {k: v.contiguous().numpy() for k, v in outputs.items()}
