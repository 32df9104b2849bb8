"""No constant stays behind on the CPU: every operator on tensors that only claim to be on a GPU.

Fake tensors have a device and no data, and refuse operands of two devices. So nothing is computed
here; what is computed is compared on the CPU, where the code is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from qflow import registry
from qflow.diagnostics import QflowError
from qflow.emulation.carriers import int_mm
from qflow.emulation.lowering import lower
from qflow.emulation.op import Call, Op, op
from qflow.emulation.profile import profile
from qflow.emulation.runtimes._calls import calls
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import march
from tests.emulation.case import case

GPU, CPU = torch.device("cuda:0"), torch.device("cpu")
NAMES = [
    n
    for n in registry.names("emulation.ops")
    if op(n).integer and type(op(n)).lower is not Op.lower
]
PROFILES = [profile(n).name for n in registry.names("emulation.profiles")]
LOOKS = ("input", "embedding", "island")
"""Nodes that look at values, which these tensors do not have."""


@contextmanager
def fake() -> Iterator[None]:
    """Fake tensors; indexing without the driver of a GPU, which torch would ask for."""
    with (
        patch.object(Tensor, "__getitem__", _indexed),
        patch.object(Tensor, "contiguous", _copied),
        patch.object(Tensor, "__bool__", lambda _: False),  # no NaN
        patch.object(int_mm, "is_exact", lambda *_: True),
        FakeTensorMode(),
        torch.no_grad(),
    ):
        yield


def _copied(x: Tensor, memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
    return x.clone(memory_format=memory_format)


def _indexed(x: Tensor, index: Any) -> Tensor:
    every = index if isinstance(index, tuple) else (index,)
    if Ellipsis in [i for i in every if not isinstance(i, Tensor)]:
        at = next(k for k, i in enumerate(every) if i is Ellipsis)
        more = x.ndim - sum(i is not None for i in every) + 1
        every = (*every[:at], *(slice(None),) * more, *every[at + 1 :])
    axis, chosen = 0, []
    for one in every:
        if isinstance(one, Tensor | list):
            chosen.append(torch.as_tensor(one))
            if chosen[-1].device not in (x.device, CPU):
                raise RuntimeError(f"{x.device} is indexed by what is on {chosen[-1].device}")
        elif isinstance(one, int):
            x = x.select(axis, one)
            continue
        elif one is None:
            x = x.unsqueeze(axis)
            chosen.append(None)
        else:
            x = torch.ops.aten.slice.Tensor(x, axis, one.start, one.stop, one.step or 1)
            chosen.append(None)
        axis += 1
    return torch.ops.aten.index.Tensor(x, chosen) if any(c is not None for c in chosen) else x


def check(call: Call, runtime: TorchRuntime) -> str:
    """Operands as floats, and in their own dtypes. Only within `fake`; the carrier."""
    fast = call.operator.fast(call, [runtime.ranges[i] for i in call.node.inputs], GPU)
    for dtype in (torch.float32, None):
        given = [
            torch.empty(shape, dtype=dtype or getattr(torch, s.dtype), device=GPU)
            for shape, s in zip(call.shapes, call.sources, strict=True)
        ]
        assert fast.run(*given).device == GPU, call.node.id
    return fast.carrier


def check_all(name: str, index: int, dtype: str, rule: str) -> set[str]:
    """Carriers that were met."""
    made = case(op(name), op(name).examples[index], dtype)
    try:
        graph = lower(made.graph, march(), rule).graph
    except QflowError as why:
        # a form the target does not compute, or one for which it wants grids inside
        if {d.code for d in why.diagnostics} <= {"QF502", "QF401"}:
            return set()
        raise
    runtime = TorchRuntime(graph)
    with fake():
        return {check(c, runtime) for c in calls(graph) if c.node.op not in LOOKS}


@pytest.mark.parametrize("name", NAMES)
def test_constants_are_where_the_operands_are(name: str) -> None:
    for index in range(len(op(name).examples)):
        check_all(name, index, "int8", "mul15")
    check_all(name, 0, "int16", "mul15")


def test_products_run_on_int8() -> None:
    assert "int8 (_int_mm)" in check_all("linear", 0, "int8", "mul15")
    assert "int8 (_int_mm)" in check_all("conv2d", 1, "int8", "onnx.qdq")
    assert "int8 (_int_mm) twice" in check_all("conv2d", 0, "int16", "tosa.double")
    grouped = check_all("conv2d", 2, "int8", "mul15")
    assert "float64" in grouped
    assert not any("_int_mm" in name for name in grouped)


MIXED: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    lambda table, operand: operand * table,
    lambda table, operand: table[operand],
    lambda table, operand: table.index_select(0, operand),
    lambda table, operand: table.take(operand),
    lambda table, operand: table.gather(0, operand),
    lambda table, operand: torch.where(operand > 0, operand, table),
    lambda table, operand: operand.double() @ table,
)


@pytest.mark.parametrize("mix", MIXED)
def test_a_constant_left_behind_is_seen(mix: Callable[[Tensor, Tensor], Tensor]) -> None:
    with fake(), pytest.raises(RuntimeError):
        mix(torch.ones(3, dtype=torch.double), torch.ones(3, dtype=torch.long, device=GPU))


@pytest.mark.parametrize("rule", [p for p in PROFILES if p != "mul15"])
def test_rules_of_other_profiles(rule: str) -> None:
    for name in ("conv2d", "linear", "add", "avg_pool2d", "layer_norm", "gelu", "mul", "max"):
        check_all(name, 0, "int8", rule)
