"""lanes: the ways one model is computed, and the words for them in a claim.

`float`, `fake_quant`, `integer` (fast path, the target's arithmetic), `oracle` (NumPy, the same
arithmetic), `export.<target>` (the exported file in its runtime), `emulator@export.<target>` (fast
path in that runtime's arithmetic). `emulator` in a claim means the fast path in the arithmetic of
what it is compared with.
"""

from typing import Protocol

from qflow.plan.plan import ExportPlan, PortPlan

BUILT_IN = ("float", "fake_quant", "integer", "oracle")


class _Model(Protocol):
    @property
    def outputs(self) -> tuple[PortPlan, ...]: ...


class Facts(Protocol):
    """What a measure reads of a plan before anything ran."""

    @property
    def model(self) -> _Model: ...

    @property
    def exports(self) -> tuple[ExportPlan, ...]: ...


def words(plan: Facts) -> tuple[str, ...]:
    """Every word that names a lane in a claim of this plan."""
    exported = dict.fromkeys(f"export.{e.target}" for e in plan.exports)
    return (*BUILT_IN, "emulator", *exported)


def lane(word: str) -> str:
    """The lane a word stands for when nothing is compared with it."""
    return "integer" if word == "emulator" else word


def pair(first: str, second: str) -> tuple[str, str]:
    """The two lanes of a comparison; next to an export, `emulator` computes as that export does."""
    if first == "emulator" and second.startswith("export."):
        return f"emulator@{second}", second
    if second == "emulator" and first.startswith("export."):
        return first, f"emulator@{first}"
    return lane(first), lane(second)


def unknown(args: tuple[str, ...], plan: Facts) -> tuple[str, ...]:
    """A sentence for every word that names no lane."""
    known = words(plan)
    listed = ", ".join(f"`{w}`" for w in known)
    return tuple(f"`{a}` is no lane; known are {listed}" for a in args if a not in known)
