"""op_facts: what operator files say of themselves, read without torch; `unknown` has no facts.

The files are imported once: what those of qflow say is kept between processes (see `kept`), for an
import of one costs as much as all that a short verb does. Another package's are asked every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from qflow import kept, registry
from qflow.plan.inventory import Inventory
from qflow.records import dataclass

KIND = "emulation.ops"
BASE = "qflow.emulation.op"
"""Where what all operators share is defined."""
_PACKAGE = Path(__file__).parents[1]
_READ = (
    "*.py",
    "diagnostics/__init__.py",
    "march/__init__.py",
    "loops/__init__.py",
    "plan/op_facts.py",
    "quantization/__init__.py",
    "quantization/prepared.py",
    "emulation/*.py",
    "emulation/ops/*.py",
    "emulation/steps/__init__.py",
    "emulation/steps/input.py",
)
"""All that operator files import of qflow, and they themselves."""


@dataclass(frozen=True)
class _Facts:
    """Of one operator; the functions below say what each means."""

    role: str = ""
    pattern_word: str = ""
    shares_scale: bool = False
    rearranges: bool = False
    weight_axis: int | None = None
    gives_indices: bool = False
    runs_on_floats: bool = False
    index_part: int | None = None
    integer: bool = False


def role(op: str) -> str:
    """gemm, normalization, activation, elementwise, pool, shape or boundary; empty for none."""
    return _facts(op).role


def pattern_word(op: str) -> str:
    """Its word in a fusion pattern; empty for none."""
    return _facts(op).pattern_word


def shares_scale(op: str) -> bool:
    """Whether the output lies on the grid of the inputs."""
    return _facts(op).shares_scale


def rearranges(op: str) -> bool:
    """Whether it only changes order and shape of one tensor's values."""
    return _facts(op).rearranges


def moves_only(inventory: Inventory, address: str) -> bool:
    """Whether it is an identity, or an operator that only changes the layout of one tensor."""
    op = inventory.by_address[address].op
    one = len(inventory.sources[address]) == 1
    return op == "identity" or (one and role(op) == "shape")


def weight_axis(op: str) -> int | None:
    """Axis of the output channels in the weight; None where there is no weight with a grid."""
    return _facts(op).weight_axis


def gives_indices(op: str) -> bool:
    """Whether its result holds whole numbers that lie on no grid: argmax."""
    return _facts(op).gives_indices


def runs_on_floats(op: str) -> bool:
    """Whether it can be a float island: it has a form in NumPy floats."""
    return _facts(op).runs_on_floats


def index_part(op: str) -> int | None:
    """Which part of its result holds whole numbers, where that is a tuple: 1 of topk."""
    return _facts(op).index_part


def integer(op: str) -> bool:
    """Whether it becomes something that an integer graph can hold; batch norm is folded instead."""
    return _facts(op).integer


@cache
def _facts(op: str) -> _Facts:
    if op in registry.names(KIND):
        known = {} if op in registry.installed(KIND) else _built_in()
        return known.get(op) or _asked(op)
    return _Facts()


@cache
def _built_in() -> Mapping[str, _Facts]:
    rows = kept.made_of(files(), _every, "operators")
    return {op: _Facts(**row) for op, row in rows.items()}


def files() -> tuple[Path, ...]:
    """What the facts of qflow's own operators are made of."""
    return tuple(sorted(p for pattern in _READ for p in _PACKAGE.glob(pattern)))


def _every() -> dict[str, dict[str, Any]]:
    own = [op for op in registry.names(KIND) if op not in registry.installed(KIND)]
    return {op: asdict(_asked(op)) for op in own}


def _asked(op: str) -> _Facts:
    """What its class says."""
    said = registry.load(KIND, op)
    base = import_module(BASE).Op
    return _Facts(
        role=str(getattr(said, "role", "")),
        pattern_word=str(said.pattern_word),
        shares_scale=bool(said.shares_scale),
        rearranges=bool(said.rearranges),
        weight_axis=said.weight_axis,
        gives_indices=bool(said.gives_indices),
        runs_on_floats=any("real" in vars(c) for c in said.__mro__ if c.__module__ != BASE),
        index_part=said.index_part,
        integer=said.lower is not base.lower,
    )
