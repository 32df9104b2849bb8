"""glance: a plan in one line: what it takes, on which dtypes, and whether another is the same."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from qflow.plan import cost
from qflow.plan.plan import Plan
from qflow.records import dataclass


@dataclass(frozen=True)
class Glance:
    weight_bytes: int
    bit_operations: int
    outputs: tuple[tuple[str, int], ...]
    """Modules per dtype of what leaves them, the most frequent first; absorbed ones leave nothing.
    """
    weights: tuple[tuple[str, int], ...]
    """Modules per dtype of their weight, the same way."""
    digest: str
    """Over the hashes of all stages: plans that do the same have the same."""


def of(plan: Plan) -> Glance:
    taken = cost.of(plan)
    running = [m for m in plan.modules if m.absorbed_by is None]
    return Glance(
        taken.weight_bytes,
        taken.bit_operations,
        _counted(m.output_dtype for m in running),
        _counted(str(m.weight.dtype.value) for m in running if m.weight is not None),
        sha256("\n".join(f"{n} {h}" for n, h in plan.hashes).encode()).hexdigest(),
    )


def _counted(dtypes: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(dtypes).items(), key=lambda found: (-found[1], found[0])))
