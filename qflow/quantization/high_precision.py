"""high_precision: outputs that keep the accumulator: a gemm that only its dequantize reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qflow.diagnostics import Diagnostic
from qflow.plan import op_facts
from qflow.quantization.scene import Scene

_IDENTITY = "identity"


@dataclass(frozen=True)
class Tail:
    """What a dequantize reads."""

    dequant: str
    unit: str
    """What makes the value, behind identities and operators that only change the layout."""
    way: tuple[str, ...]
    """Identities and layout operators between the two, the one next to the dequantize first."""
    obstacle: str = ""
    """Why it cannot keep its accumulator; empty: it can."""
    layout: bool = False
    """The obstacle is an operator that only changes the layout."""


def tails(scene: Scene) -> Iterator[Tail]:
    """One per tensor that a dequantize reads from between the stubs, in execution order."""
    for module in scene.inventory.modules:
        if module.op != "dequant":
            continue
        for source in dict.fromkeys(scene.inventory.sources[module.address]):
            if scene.unit[source] in scene.units:
                yield _tail(scene, module.address, source)


def accumulators(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Units that can keep their accumulator, each with the identities behind it."""
    return {t.unit: t.way for t in tails(scene) if not t.obstacle}


def note(tail: Tail) -> Diagnostic:
    """What to tell a person who would have had high precision."""
    if tail.layout:
        return Diagnostic(
            "QF505",
            f"`{tail.unit}` cannot keep its int32 accumulator: {tail.obstacle}",
            help="move the layout operator behind the dequantize",
            severity="warning",
        )
    return Diagnostic(
        "QF254",
        f"`{tail.unit}` does not support high precision output: {tail.obstacle}",
        notes=(f"`{tail.dequant}` reads it",),
        severity="note",
    )


def _tail(scene: Scene, dequant: str, source: str) -> Tail:
    inventory = scene.inventory
    way: list[str] = []
    address = source
    while _passes(scene, address):
        way.append(address)
        address = inventory.sources[address][0]
    unit = scene.unit[address]
    moved = [a for a in way if inventory.by_address[a].op != _IDENTITY]
    last = scene.members(unit)[-1]
    if not scene.is_gemm(unit):
        # then nothing behind it matters: the value is that of the last operator
        at = scene.unit[source]
        return Tail(dequant, at, (), _no_gemm(scene, at))
    if moved:
        names = ", ".join(f"`{a}` ({inventory.by_address[a].op})" for a in moved)
        why = f"between it and `{dequant}` stands {names}"
        return Tail(dequant, unit, tuple(way), why, layout=True)
    return Tail(dequant, unit, tuple(way), _obstacle(scene, unit, (last, *way)))


def _obstacle(scene: Scene, unit: str, way: tuple[str, ...]) -> str:
    inventory, march = scene.inventory, scene.march
    for address in way:
        if len(inventory.users[address]) != 1:
            return f"several operators read `{address}`"
        if inventory.by_address[address].calls != 1:
            return f"`{address}` is called several times"
    support = march.support(scene.op(unit))
    if march.tail != "int32" or support is None or "int32" not in support.output:
        return f"{march.name} keeps no accumulator of `{scene.op(unit)}`"
    if op_facts.pattern_word(inventory.by_address[scene.members(unit)[-1]].op) == "relu6":
        return "a relu6 clips at a value of its own grid, which an accumulator does not have"
    return ""


def _no_gemm(scene: Scene, unit: str) -> str:
    return f"`{scene.op(unit)}` is no convolution, linear or matmul"


def _passes(scene: Scene, address: str) -> bool:
    """Identity, or an operator that only changes the layout of one tensor."""
    alone = address in scene.inside and scene.unit[address] == address
    return alone and op_facts.moves_only(scene.inventory, address)
