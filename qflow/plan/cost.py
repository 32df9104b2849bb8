"""cost: what a plan's numbers take, in formulas simple enough to check by hand.

weight bytes    sum over addresses of: weight elements * bits of the weight / 8
bit operations  sum over addresses of: multiply-accumulates of one sample
                * bits of the first operand * bits of the weight

The weight of an operator that has none is its second operand. What is not quantized has 32 bits.
A batch norm that a fusion absorbs is folded and counts nothing. A module that a `leaf` keeps whole
counts nothing either: a trace does not look into it.
"""

from qflow.dtype import DTYPES
from qflow.plan.plan import ModulePlan, Plan
from qflow.records import dataclass

FLOAT = 32


@dataclass(frozen=True)
class Cost:
    weight_bytes: int
    bit_operations: int


def of(plan: Plan) -> Cost:
    """Of the whole plan, rounded up to whole bytes. A plan of an older lock may know no sizes."""
    by_address = {m.address: m for m in plan.modules}
    bits = operations = 0
    for module in plan.modules:
        runs = by_address.get(module.absorbed_by or "", module)
        operand, weight = _operand(runs, 0, by_address), _weight(runs, by_address)
        operations += module.macs * operand * weight
        if module is runs or _multiplies(module):
            bits += module.weights * (_bits(runs) if runs.weight else FLOAT)
    return Cost(-(-bits // 8), operations)


def _multiplies(module: ModulePlan) -> bool:
    """Whether an absorbed module brings the weight of its fusion."""
    return module.op != "batch_norm"


def _bits(module: ModulePlan) -> int:
    return FLOAT if module.weight is None else _width(module.weight.dtype.value)


def _width(dtype: object) -> int:
    """A plan that was read may name a dtype of a later version."""
    known = DTYPES.get(str(dtype))
    return FLOAT if known is None else known.bits


def _weight(module: ModulePlan, modules: dict[str, ModulePlan]) -> int:
    if module.weight is not None or len(module.reads) < 2:
        return _bits(module)
    return _operand(module, 1, modules)


def _operand(module: ModulePlan, slot: int, modules: dict[str, ModulePlan]) -> int:
    """Bits a tensor operand comes on, or is brought to; all are float where the operator is."""
    if module.act is None and module.weight is None and module.output_dtype == "float32":
        return FLOAT
    if slot < len(module.inputs) and (grid := module.inputs[slot]) is not None:
        return _width(grid.dtype.value)
    source = modules.get(module.reads[slot]) if slot < len(module.reads) else None
    return FLOAT if source is None else _width(source.output_dtype)
