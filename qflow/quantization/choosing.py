"""choosing: decisions and fusions together: dtypes are decided first, then only what fits is fused.

An add joins the convolution before it where the march fuses an add of the decided dtype, and where
no grid of its own was asked for between the two. Older tools fuse first and lower the residual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import fx, nn

from qflow.march import March
from qflow.plan import fusion, op_facts
from qflow.plan.plan import Fixed
from qflow.quantization import attributes as own_qconfigs
from qflow.quantization.attributes import Attributes
from qflow.quantization.deciding import Answer, Decision, Setter, decide
from qflow.quantization.facts import Unfused
from qflow.quantization.region import between_stubs
from qflow.quantization.scene import Scene, scene_of
from qflow.tracing import Traced
from qflow.tracing.call import call_of, is_tensor
from qflow.tracing.lookalikes import lookalikes


@dataclass(frozen=True)
class Chosen:
    scene: Scene
    answer: Answer
    unfused: tuple[Unfused, ...] = ()


def choose(
    traced: Traced,
    march: March,
    model: nn.Module,
    setters: Sequence[Setter],
    attributes: Attributes,
    whole_numbers: frozenset[str] = frozenset(),
) -> Chosen:
    """Decide with everything fused; take adds apart that cannot be; until nothing changes.

    Raises QflowError with every error of every setter.
    """
    inside = between_stubs(traced.inventory, whole_numbers)
    verbatim = inside - _called(traced)
    shape_read = _shape_read(traced)
    apart: dict[str, str] = {}
    aliases: dict[str, str] = {}
    while True:
        scene = scene_of(
            traced.inventory,
            march,
            inside,
            model,
            apart,
            whole_numbers,
            verbatim,
            shape_read,
            dict(aliases),
        )
        answer = decide(scene, own_qconfigs.decide(scene, attributes), setters)
        more = dict(_not_joined(scene, answer.decisions, shape_read))
        if not more:
            break
        apart |= more
        for at in more:
            if _observed(answer.decisions.get(at)):
                members = scene.members(at)
                aliases.update(dict.fromkeys((members[0], members[-1]), at))
                aliases.pop(at, None)
    return Chosen(scene, answer, _unfused(traced, scene, answer.decisions, apart))


def _called(traced: Traced) -> set[str]:
    """Addresses with a call of their own in the graph."""
    return {call.address for n in traced.module.graph.nodes if (call := call_of(n)) is not None}


def _shape_read(traced: Traced) -> frozenset[str]:
    """Addresses whose output is asked for its shape, size or the like."""
    return frozenset(
        call.address
        for node in traced.module.graph.nodes
        if (call := call_of(node)) is not None and any(not _reads_values(u) for u in node.users)
    )


def _reads_values(user: fx.Node) -> bool:
    return user.op == "output" or call_of(user) is not None or is_tensor(user)


def _not_joined(
    scene: Scene, decisions: Mapping[str, Decision], shape_read: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Adds that must not join, by the address of the add, and why."""
    for fused in scene.fusions:
        if fused.residual is None:
            continue
        if asked := shape_read & set(fused.members[:-1]):
            yield fused.at, f"the shape of `{min(asked)}` is asked for"
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


def _observed(decision: Decision | None) -> bool:
    """Whether what was asked of a fusion suits its parts: a given scale is of one tensor."""
    if decision is None or decision.qconfig is None or _asks_for_operands(decision):
        return False
    output = decision.qconfig.output_plan
    return output is not None and not isinstance(output.source, Fixed)


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
    traced: Traced, scene: Scene, decisions: Mapping[str, Decision], apart: Mapping[str, str]
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
        lookalikes=lookalikes(scene.inventory, scene.model),
    )
    found = tuple(u for u in found if scene.inside.issuperset(u.members))
    said = {member for u in found for member in u.members}
    sources = scene.inventory.sources
    own = tuple(Unfused((*sources[a], a), why) for a, why in apart.items() if a not in said)
    return (*found, *own)
