"""A plan in one line: what its modules are, and a digest that only same plans share."""

from pathlib import Path

from qflow.compile.front import planned
from qflow.plan import cost, glance

SWEEPS = Path(__file__).parent.parent / "cases" / "compile" / "sweeps" / "x.qf"


def of(**settings: str) -> glance.Glance:
    return glance.of(planned(SWEEPS, settings)[1])


def test_counts_and_cost() -> None:
    _, plan = planned(SWEEPS, {})
    found = glance.of(plan)
    assert (found.weight_bytes, found.bit_operations) == tuple(vars(cost.of(plan)).values())
    # conv, conv, conv with the add, linear; pool, average, flatten and the input run on int8 too
    assert found.outputs == (("int8", 7), ("float32", 1), ("int32", 1))
    assert found.weights == (("int8", 4),)


def test_the_digest_tells_plans_apart() -> None:
    # `top` is a param that nothing of the file reads
    assert of().digest == of(top="7").digest
    assert of().digest != of(bits="int16").digest
    assert dict(of(bits="int16").outputs)["int16"] > 0
