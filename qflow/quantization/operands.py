"""operands: which operands are brought to a grid of their own before an operator reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qflow.dtype import DTYPES
from qflow.plan import op_facts
from qflow.plan.plan import Fixed, TensorPlan
from qflow.quantization.facts import Change
from qflow.quantization.falling_back import dtype_of, takes
from qflow.quantization.high_precision import accumulators
from qflow.quantization.scene import Scene
from qflow.quantization.tensors import Tensors, with_dtype


def settle_operands(scene: Scene, tensors: Tensors) -> Tensors:
    """Grids of operands that do something, and those the march needs.

    A given scale stays. One to be observed goes where the tensor comes no wider than asked:
    rounding it once more would add nothing. An operand wider than the operator takes is lowered.
    """
    found: dict[str, tuple[TensorPlan | None, ...]] = {}
    changes = list(tensors.changes)
    # a product of two activations that keeps its accumulator has operands all the same
    tails = accumulators(scene)
    for unit in scene.units:
        if unit not in tensors.outputs and unit not in tensors.weights and unit not in tails:
            continue
        asked = tensors.inputs.get(unit, ())
        made: list[TensorPlan | None] = []
        wide = 0
        for slot, sources in enumerate(scene.operands(unit)):
            wish = asked[slot] if slot < len(asked) else None
            one = [_Operand(scene, tensors, unit, slot, s, wide) for s in sources]
            settled = [o.unasked() if wish is None else o.asked(wish) for o in one]
            # a module that runs several times has one grid, if any of its calls needs it
            settled.sort(key=lambda found: found[0] is None)
            plan, change = settled[0] if settled else (None, None)
            read = [tensors.outputs.get(s) if plan is None else plan for s in sources]
            wide += any(r is not None and DTYPES[dtype_of(r)].bits > WIDE for r in read)
            made.append(plan)
            changes += [change] if change is not None else []
        while made and made[-1] is None:
            made.pop()
        if made:
            found[unit] = tuple(made)
    return replace(tensors, inputs=found, changes=tuple(changes))


WIDE = 8
"""Bits above which a march may take a dtype at some operands only."""

Settled = tuple["TensorPlan | None", "Change | None"]


@dataclass(frozen=True)
class _Operand:
    scene: Scene
    tensors: Tensors
    unit: str
    slot: int
    source: str
    wide_before: int
    """How many operands before it are wider than 8 bits."""

    def asked(self, wish: TensorPlan) -> Settled:
        """What becomes of a grid that a qconfig asks for."""
        dtype = dtype_of(wish)
        if self.source in self.scene.whole_numbers:
            return None, None
        if op_facts.shares_scale(self.scene.op(self.unit)):
            if not isinstance(wish.source, Fixed):
                return None, None
            why = f"{self.scene.op(self.unit)} keeps the grid of its input"
            return None, self._change(dtype, "none", why)
        given = self._takes(dtype)
        change = None
        if given != dtype:
            why = f"{self.scene.march.name}: {self.scene.op(self.unit)} takes {given}"
            change = self._change(dtype, given, why)
            wish = with_dtype(wish, given, why, DTYPES[dtype].bits - DTYPES[given].bits)
        comes = self.tensors.outputs.get(self.source)
        if isinstance(wish.source, Fixed) or comes is None or self._wider(comes, given):
            return wish, change
        if given != dtype_of(comes) and change is None:
            why = "it comes so, and rounding it to a finer grid adds nothing"
            change = self._change(dtype, dtype_of(comes), why)
        return None, change

    def unasked(self) -> Settled:
        """A grid the march needs though nobody asked for one."""
        comes = self.tensors.outputs.get(self.source)
        if comes is None or op_facts.shares_scale(self.scene.op(self.unit)):
            return None, None
        dtype = dtype_of(comes)
        given = self._takes(dtype)
        if given == dtype or not self._wider(comes, given):
            return None, None
        op = self.scene.op(self.unit)
        why = f"{self.scene.march.name}: {op} takes {given} here"
        plan = with_dtype(comes, given, why, DTYPES[dtype].bits - DTYPES[given].bits)
        owner = self.tensors.outputs.get(self.scene.owner(self.source), comes)
        if not isinstance(owner.source, Fixed):
            plan = replace(plan, source=owner.source, learned=owner.learned)
        return plan, self._change(dtype, given, why)

    def _takes(self, dtype: str) -> str:
        support = self.scene.march.support(self.scene.op(self.unit))
        if support is None:
            return dtype
        output = self.tensors.outputs.get(self.unit)
        given = takes(
            support,
            dtype,
            None if output is None else dtype_of(output),
            self.slot,
            self.wide_before,
        )
        if self._is_residual() and given not in self.scene.march.fuse_add_dtypes:
            allowed = self.scene.march.fuse_add_dtypes
            return max(allowed, key=lambda d: DTYPES[d].bits)
        return given

    def _is_residual(self) -> bool:
        """The operand that a fused add adds, which is the last."""
        fused = self.scene.at.get(self.unit)
        if fused is None or fused.residual is None:
            return False
        return self.slot == len(self.scene.operands(self.unit)) - 1

    def _wider(self, comes: TensorPlan, given: str) -> bool:
        return DTYPES[dtype_of(comes)].bits > DTYPES[given].bits

    def _change(self, asked: str, given: str, why: str) -> Change:
        text = f"operand {self.slot} (`{self.source}`): {why}"
        return Change(self.unit, "input.dtype", asked, given, text)
