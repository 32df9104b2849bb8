"""QF718 (P18): an output that could keep the accumulator, and does not."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._graph import is_gemm, source, tail_is_int32
from qflow.plan.inventory import Inventory, Module
from qflow.plan.subject import Subject

MOVABLE = ("softmax", "log_softmax", "sigmoid", "tanh")
"""Functions of the output alone: behind the dequantize they cost little."""


class Qf718:
    """An output is int8 although a higher precision was expected.

    Why: only a convolution or linear that nothing but the dequantize reads keeps its accumulator.
    Here several readers use it, or a softmax or sigmoid stands behind it.

    How to mend: give the output a convolution of its own; move the function behind the dequantize.

    Anti-pattern:

        return self.dequant(torch.sigmoid(self.head(x)))

    Best practice:

        return torch.sigmoid(self.dequant(self.head(x)))
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        inventory = subject.inventory
        if inventory is None or subject.dtypes is None or not tail_is_int32(subject):
            return
        for dequant in (m for m in inventory.modules if m.op == "dequant"):
            made = _producer(inventory, dequant)
            if made is None or not subject.quantized(made.address) or _asked(subject, made):
                continue
            if subject.dtype_out(made.address) != "int32" and (why := _why(inventory, made)):
                yield warning(
                    "QF718",
                    f"`{dequant.address}` gives out {subject.dtype_out(made.address)}: {why[0]}",
                    subject.at,
                    why[1],
                )


def _producer(inventory: Inventory, dequant: Module) -> Module | None:
    """What computes the tensor a dequantize reads; identities are looked through."""
    module = source(inventory, dequant)
    while module is not None and module.op == "identity":
        module = source(inventory, module)
    return module


def _asked(subject: Subject, made: Module) -> bool:
    """A rule said what the output is to be, and not only what its grid is."""
    plan = subject.plan_of.get(subject.at_run(made.address))
    if plan is None or plan.out is None or plan.out.by is None:
        return False
    return plan.act is None or plan.out.by != plan.act.dtype.by


def _why(inventory: Inventory, made: Module) -> tuple[str, str] | None:
    readers = list(inventory.users[made.address])
    if is_gemm(made) and len(readers) > 1:
        return f"{listed(readers)} read `{made.address}`", "give the output a module of its own"
    if is_gemm(made) and made.calls > 1:
        return f"`{made.address}` runs {made.calls} times", "give each call a module of its own"
    before = source(inventory, made)
    if made.op in MOVABLE or made.type.lower() in MOVABLE:
        if before is not None and is_gemm(before):
            text = f"`{made.address}` ({made.type}) stands behind `{before.address}`"
            return text, f"move `{made.address}` behind the dequantize"
    return None
