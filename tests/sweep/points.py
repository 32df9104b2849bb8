"""Outcomes of sweeps that never ran."""

from typing import Any

from qflow.sweep.outcome import Outcome

ERROR = {"code": "QF403", "severity": "error", "message": "a value that is\nnot finite"}


def point(name: str, metric: float | None = None, cost: int = 100, **more: Any) -> Outcome:
    """`a=1,b=2` with its values, an accuracy of the integer lane and of a float one, and a cost."""
    parts = (part.partition("=") for part in name.split(","))
    values = tuple((key, value) for key, equals, value in parts if equals)
    metrics = (("float.accuracy", 0.99), ("integer.accuracy", metric)) if metric is not None else ()
    given = {"exit_code": 0, "metrics": metrics, "bit_operations": cost, "weight_bytes": 7, **more}
    return Outcome(name, values, **given)


def failed(name: str) -> Outcome:
    return point(name, exit_code=3, cost=0, weight_bytes=0, diagnostics=(ERROR,))


def broken(name: str, metric: float, cost: int = 100, claim: str = "a <= 1") -> Outcome:
    return point(name, metric, cost, exit_code=1, broken=(claim,))


def six() -> list[Outcome]:
    """Of a sweep in which one point fails, one breaks an assert, and three are best."""
    return [
        broken("act=int8,weight=int4", 0.9, 32),
        point("act=int8,weight=int8", 0.97, 64),
        point("act=int8,weight=int16", 0.98, 128),
        point("act=int16,weight=int4", 0.95, 64),
        point("act=int16,weight=int8", 0.98, 128),
        failed("act=int16,weight=int16"),
    ]
