"""choosing: decisions and fusions together: dtypes are decided first, then only what fits is fused.

An add joins the convolution before it where the march fuses an add of the decided dtype, and where
no grid of its own was asked for between the two. Older tools fuse first and lower the residual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from qflow.march import March
from qflow.plan import fusion
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Fixed
from qflow.quantization import attributes as own_qconfigs
from qflow.quantization import op_facts
from qflow.quantization.attributes import Attributes
from qflow.quantization.deciding import Answer, Decision, Setter, decide
from qflow.quantization.facts import Unfused
from qflow.quantization.scene import Scene, scene_of


@dataclass(frozen=True)
class Chosen:
    scene: Scene
    answer: Answer
    unfused: tuple[Unfused, ...] = ()


def choose(
    inventory: Inventory,
    march: March,
    inside: frozenset[str],
    model: nn.Module,
    setters: Sequence[Setter],
    attributes: Attributes,
    whole_numbers: frozenset[str] = frozenset(),
) -> Chosen:
    """Decide with everything fused; take adds apart that cannot be; until nothing changes.

    Raises QflowError with every error of every setter.
    """
    apart: dict[str, str] = {}
    while True:
        scene = scene_of(inventory, march, inside, model, tuple(apart), whole_numbers)
        answer = decide(scene, own_qconfigs.decide(scene, attributes), setters)
        more = dict(_not_joined(scene, answer.decisions))
        if not more:
            break
        apart |= more
    return Chosen(scene, answer, _unfused(scene, answer.decisions, apart))


def _not_joined(scene: Scene, decisions: Mapping[str, Decision]) -> Iterator[tuple[str, str]]:
    """Adds that must not join, by the address of the add, and why."""
    for fused in scene.fusions:
        if fused.residual is None:
            continue
        decision = decisions.get(fused.at)
        if decision is None or decision.qconfig is None:
            continue
        if _asks_for_operands(decision):
            yield fused.at, "its operands have given scales of their own"
            continue
        dtype = _dtype(scene, fused.at, decisions)
        if dtype is not None and dtype not in scene.march.fuse_add_dtypes:
            fuses = " or ".join(scene.march.fuse_add_dtypes) or "nothing"
            yield fused.at, f"{scene.march.name} fuses an add at {fuses}, not at {dtype}"


def _asks_for_operands(decision: Decision) -> bool:
    assert decision.qconfig is not None
    plans = (decision.qconfig.input_plan(i) for i in range(2))
    return any(p is not None and isinstance(p.source, Fixed) for p in plans)


def _dtype(scene: Scene, at: str, decisions: Mapping[str, Decision]) -> str | None:
    """The dtype the add would have: of its output, else of the residual it reads."""
    output = _output_dtype(decisions.get(at))
    if output is not None:
        return output
    residual = scene.reads(at)[-1]
    return _output_dtype(decisions.get(scene.owner(residual)))


def _output_dtype(decision: Decision | None) -> str | None:
    if decision is None or decision.qconfig is None:
        return None
    plan = decision.qconfig.output_plan
    return None if plan is None else str(plan.dtype.value)


def _unfused(
    scene: Scene, decisions: Mapping[str, Decision], apart: Mapping[str, str]
) -> tuple[Unfused, ...]:
    """What looks like a pattern and was left apart."""

    def dtype(address: str) -> str:
        found = _output_dtype(decisions.get(scene.unit[address]))
        return found or next(iter(scene.march.fuse_add_dtypes), "")

    found = fusion.unfused(
        scene.inventory,
        scene.fusions,
        scene.march.fuse_add_dtypes,
        dtype,
        word=op_facts.pattern_word,
    )
    given = [a for a, why in apart.items() if "given scales" in why]
    own = tuple(
        Unfused((*scene.inventory.sources[a], a), apart[a])
        for a in given
        if not any(a in u.members for u in found)
    )
    return (*found, *own)
