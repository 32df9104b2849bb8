"""cost: the two formulas, by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.plan import cost
from qflow.plan.plan import Decided, Fixed, ModulePlan, Plan, TensorPlan

ROOT = Path(__file__).parent.parent.parent


def grid(dtype: str) -> TensorPlan:
    return TensorPlan(Decided(dtype), Decided("per_tensor"), None, Fixed(Decided(1.0)))


def module(address: str, act: str = "", weight: str = "", **more: object) -> ModulePlan:
    grids = grid(act) if act else None, grid(weight) if weight else None
    plan = ModulePlan(address, "T", "op", grids[0], grids[1], Decided(act or "float32"))
    return replace(plan, **more)  # type: ignore[arg-type]


@pytest.fixture
def plan() -> Plan:
    found = front(ROOT / "pipelines" / "digits.qf", {}).plan
    assert found is not None
    return found


def of(plan: Plan, *modules: ModulePlan) -> tuple[int, int]:
    found = cost.of(replace(plan, modules=modules))
    return found.weight_bytes, found.bit_operations


def test_operand_times_weight(plan: Plan) -> None:
    quant = module("quant", "int16")
    conv = module("conv", "int8", "int4", reads=("quant",), weights=7, macs=100)
    assert of(plan, quant, conv) == (4, 100 * 16 * 4)  # 28 bits are 4 bytes
    brought = replace(conv, inputs=(grid("int8"),))
    assert of(plan, quant, brought) == (4, 100 * 8 * 4)


def test_a_product_of_two_operands(plan: Plan) -> None:
    one, two = module("one", "int8"), module("two", "int16")
    matmul = module("matmul", "int8", reads=("one", "two"), macs=10)
    assert of(plan, one, two, matmul) == (0, 10 * 8 * 16)


def test_float_has_32_bits(plan: Plan) -> None:
    quant = module("quant", "int8")
    conv = module("conv", reads=("quant",), weights=3, macs=10)
    assert of(plan, quant, conv) == (12, 10 * 32 * 32)


def test_a_fusion_counts_the_convolution_and_not_the_folded_norm(plan: Plan) -> None:
    quant, other = module("quant", "int8"), module("other", "int16")
    conv = replace(module("conv", weights=9, macs=50, absorbed_by="add"), op="conv2d")
    norm = replace(module("bn", weights=4, absorbed_by="add"), op="batch_norm")
    add = module("add", "int8", "int8", reads=("quant", "other"))
    assert of(plan, quant, other, conv, norm, add) == (9, 50 * 8 * 8)


def test_a_kept_accumulator_costs_what_it_reads(plan: Plan) -> None:
    quant = module("quant", "int8")
    head = replace(
        module("head", "", "int8", reads=("quant",), weights=2, macs=5), out=Decided("int32")
    )
    assert of(plan, quant, head) == (2, 5 * 8 * 8)


def test_digits(plan: Plan) -> None:
    """Every weight of an int8 plan takes one byte, every product 64 bit operations."""
    found = cost.of(plan)
    weights = sum(m.weights for m in plan.modules if m.op in ("conv2d", "linear"))
    assert found.weight_bytes == weights
    assert found.bit_operations == 64 * sum(m.macs for m in plan.modules)
