"""BM1684 and CV18xx: the fast form of every operator equals its oracle; files hold their graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow import march as marches
from qflow import registry
from qflow.dtype import DTYPES
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from qflow.emulation.profile import profile as profile_of
from qflow.emulation.runtimes import numpy as in_numpy
from qflow.emulation.runtimes._calls import calls
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

PROFILES = {
    "sophgo.bm1684": "bm1684",
    "sophgo.bm1684.interpreter": "bm1684",
    "sophgo.cv18xx": "cv18xx",
    "sophgo.cv18xx.interpreter": "cv18xx",
}
IMAGE = (2, 4, 7, 6)
WINDOW: Mapping[str, Any] = {"kernel": (3, 3), "stride": (2, 1), "padding": (1, 1, 1, 1)}
CONVOLUTION: Mapping[str, Any] = {**WINDOW, "dilation": (1, 1), "groups": 1}


@dataclass(frozen=True)
class Form:
    """An operator as one of its nodes is set."""

    op: str
    shapes: tuple[tuple[int, ...], ...] = (IMAGE,)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weight: tuple[int, ...] | None = None
    bias: int = 0
    """How many channels it has a bias for."""
    constant: tuple[int, ...] | None = None
    """Shape of a constant operand, the last one."""
    only: str = ""
    """The one march that has it."""

    def __str__(self) -> str:
        extra = "constant" if self.constant else next(iter(self.attributes), "")
        return f"{self.op}-{extra}-{len(self.shapes)}"


FORMS = (
    Form("conv2d", attributes=CONVOLUTION, weight=(5, 4, 3, 3), bias=5),
    Form("conv2d", attributes={**CONVOLUTION, "groups": 4}, weight=(8, 1, 3, 3)),
    Form(
        "conv1d",
        ((2, 4, 9),),
        {"kernel": (3,), "stride": (2,), "padding": (1, 1), "dilation": (1,), "groups": 2},
        (6, 2, 3),
        6,
    ),
    Form(
        "conv3d",
        ((1, 2, 4, 5, 3),),
        {
            "kernel": (3, 2, 1),
            "stride": (1, 2, 1),
            "padding": (1, 0, 0, 1, 0, 0),
            "dilation": (1, 1, 1),
            "groups": 1,
        },
        (3, 2, 3, 2, 1),
        3,
        only="bm1684",
    ),
    Form(
        "conv_transpose2d",
        attributes={**CONVOLUTION, "stride": (2, 2), "output_padding": (1, 1)},
        weight=(4, 3, 3, 3),
        bias=3,
    ),
    Form(
        "conv_transpose2d",
        attributes={**CONVOLUTION, "stride": (2, 2), "output_padding": (0, 0), "groups": 2},
        weight=(4, 3, 3, 3),
        bias=6,
    ),
    Form("linear", ((3, 20),), weight=(7, 20), bias=7),
    Form("linear", ((2, 3, 20),), weight=(7, 20), only="cv18xx"),
    Form("batch_norm", weight=(4,), bias=4),
    Form("add", (IMAGE, IMAGE)),
    Form("add", (IMAGE, (2, 4, 1, 1))),
    Form("add", constant=(1, 4, 7, 6), only="bm1684"),
    Form("add", attributes={"scalar": 0.73}, only="bm1684"),
    Form("sub", (IMAGE, IMAGE)),
    Form("sub", attributes={"scalar": 0.63}, only="bm1684"),
    Form("sub", attributes={"scalar": 0.63, "reflected": True}),
    Form("mul", (IMAGE, IMAGE)),
    Form("mul", constant=(1, 4, 7, 6), only="bm1684"),
    Form("mul", constant=(1, 4, 1, 1)),
    Form("mul", attributes={"scalar": -1.37}),
    Form("neg"),
    Form("abs"),
    Form("cat", (IMAGE, (2, 3, 7, 6)), {"dim": 1}),
    Form("avg_pool2d", attributes=WINDOW),
    Form("avg_pool2d", attributes={**WINDOW, "skips_padding": True}),
    Form(
        "avg_pool2d",
        attributes={
            "kernel": (5, 5),
            "stride": (1, 1),
            "padding": (2, 2, 2, 2),
            "skips_padding": True,
        },
    ),
    Form("adaptive_avg_pool2d"),
    Form("mean", attributes={"dims": (2, 3), "keepdim": False}),
    Form("mean", attributes={"dims": (1,), "keepdim": True}, only="cv18xx"),
    Form("leaky_relu", attributes={"negative_slope": 0.27}),
    Form("prelu", weight=(4,)),
    Form("relu"),
    Form("maximum", (IMAGE, IMAGE)),
    Form("minimum", (IMAGE, IMAGE)),
    Form("maximum", constant=(1,)),
    Form("minimum", constant=(1,)),
    Form("sqrt"),
    Form("reciprocal"),
    Form("pow", attributes={"scalar": 1.5}),
)


def has_own(profile: str, op: str) -> bool:
    """Whether an interpreter has a rule of its own for an operator; a chip stands for itself."""
    folder = profile_of(profile).own[0]
    return not profile.endswith("interpreter") or op in registry.names(f"emulation.own.{folder}")


CASES = [
    (form, profile)
    for form in FORMS
    for profile, march in PROFILES.items()
    if form.only in ("", march) and has_own(profile, form.op)
]


def grid(scale: float, signed: bool = True) -> Grid:
    dtype = DTYPES["int8" if signed else "uint8"]
    return Grid(dtype, np.array([scale], np.float64), lowest=-1.0 if signed else 0.0)


def graph_of(
    form: Form, profile: str, scales: list[float], signed: bool, seed: int
) -> IntegerGraph:
    """Inputs, their casts, the operator, a cast back."""
    draw = np.random.default_rng(seed)
    kind = "int8" if signed else "uint8"
    nodes, read = [], []
    for i, shape in enumerate(form.shapes):
        nodes.append(PreparedNode(f"x{i}", f"x{i}", "input", (), shape=shape))
        cast = PreparedNode(
            f"q{i}",
            f"q{i}",
            "quant",
            (f"x{i}",),
            grid=grid(scales[i], signed),
            out_dtype=kind,
            shape=shape,
        )
        nodes.append(cast)
        read.append(cast.id)
    if form.constant is not None:
        value = draw.normal(0, 1, form.constant).astype(np.float32)
        nodes.append(PreparedNode("c", "c", "constant", (), weight=value, shape=form.constant))
        read.append("c")
    weight = None if form.weight is None else draw.normal(0, 1, form.weight).astype(np.float32)
    bias = draw.normal(0, 1, form.bias).astype(np.float32) if form.bias else None
    op = PreparedNode(
        "op",
        "op",
        form.op,
        tuple(read),
        form.attributes,
        weight,
        bias,
        grid=grid(scales[-1]),
        out_dtype="int8",
        shape=form.shapes[0],
    )
    nodes += [op, PreparedNode("d", "d", "dequant", ("op",), out_dtype="float32")]
    inputs = tuple(f"x{i}" for i in range(len(form.shapes)))
    prepared = PreparedGraph(tuple(nodes), inputs, (("y", "d"),))
    return lower(prepared, marches.load(PROFILES[profile]), profile).graph


def integers(draw: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Any integers of a dtype, its ends among them."""
    low, high = DTYPES[dtype].qmin, DTYPES[dtype].qmax
    found = draw.integers(low, high + 1, shape)
    ends = draw.random(shape)
    return np.where(ends < 0.1, low, np.where(ends > 0.9, high, found))


@pytest.mark.parametrize(("form", "profile"), CASES, ids=str)
@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 1 << 20),
    steps=st.lists(st.floats(-7, 2), min_size=3, max_size=3),
    signed=st.booleans(),
)
def test_the_fast_form_equals_the_oracle(
    form: Form, profile: str, seed: int, steps: list[float], signed: bool
) -> None:
    scales = [float(2.0**s) for s in steps]
    # weights are near 1: an output coarser than the inputs keeps shifts above 0, and a difference
    # whose threshold is not above those of its operands stays float
    scales[-1] = max(scales[-1], 4.0 * max(scales[:-1]))
    graph = graph_of(form, profile, scales, signed, seed)
    draw = np.random.default_rng(seed)
    for call in calls(graph):
        if call.node.op in ("input", "quantize", "dequantize"):
            continue
        operands = [integers(draw, s.shape, s.dtype) for s in call.sources]
        ranges = [(DTYPES[s.dtype].qmin, DTYPES[s.dtype].qmax) for s in call.sources]
        expected = call.operator.oracle(call, *operands)
        low, high = call.operator.values(call, ranges)
        assert expected.shape == call.node.output.shape
        assert low <= expected.min()
        assert expected.max() <= high
        fast = call.operator.fast(call, ranges, torch.device("cpu"))
        for kinds in ([np.float32] * len(operands), [np.dtype(s.dtype) for s in call.sources]):
            given_ = [torch.from_numpy(x.astype(k)) for x, k in zip(operands, kinds, strict=True)]
            before = [x.clone() for x in given_]
            found = fast.run(*given_).double().numpy()
            assert np.array_equal(found, expected)
            assert all(torch.equal(a, b) for a, b in zip(given_, before, strict=True))


@pytest.mark.parametrize(("form", "profile"), CASES, ids=str)
def test_a_file_holds_the_graph(form: Form, profile: str, tmp_path: Path) -> None:
    graph = graph_of(form, profile, [0.03, 0.05, 0.2], True, 7)
    file.save(graph, tmp_path / "net.qfint")
    read = file.load(tmp_path / "net.qfint")
    draw = np.random.default_rng(7)
    inputs = {
        f"x{i}": draw.normal(0, 2, shape).astype(np.float32) for i, shape in enumerate(form.shapes)
    }
    tensors = {name: torch.from_numpy(x) for name, x in inputs.items()}
    expected = in_numpy.run(graph, inputs)["y"]
    assert np.array_equal(in_numpy.run(read, inputs)["y"], expected)
    assert np.array_equal(TorchRuntime(read).run(tensors)["y"].numpy(), expected)
    assert np.unique(expected).size > 1
