"""QF701 (P1): a layout operator stands between the last conv or linear and the dequantize."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._graph import is_gemm, read_once, source, tail_is_int32
from qflow.plan.inventory import Inventory, Module
from qflow.plan.op_facts import moves_only
from qflow.plan.subject import Subject


class Qf701:
    """The output is int16 or int8 where int32 was expected, and its scale is another one.

    Why: a gemm keeps its accumulator only when the dequantize reads it directly. A permute,
    reshape, view, flatten or squeeze in between needs a grid, so the gemm is given one.

    How to mend: move the layout operator behind the dequantize.

    Anti-pattern:

        return self.dequant(self.head(x).permute(0, 2, 3, 1))

    Best practice:

        return self.dequant(self.head(x)).permute(0, 2, 3, 1)
    """

    said_by = ("QF505",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.inventory is None or not tail_is_int32(subject):
            return
        for dequant in (m for m in subject.inventory.modules if m.op == "dequant"):
            for address in dict.fromkeys(subject.inventory.sources[dequant.address]):
                way = _way(subject.inventory, subject.inventory.by_address[address])
                moved = [m for m in way[:-1] if m.op != "identity"]
                if moved and is_gemm(way[-1]) and read_once(subject.inventory, way[-1]):
                    yield warning(
                        "QF701",
                        f"`{way[-1].address}` gives out integers of a grid, "
                        "not its int32 accumulator",
                        subject.at,
                        "move the layout operator behind the dequantize",
                        f"before `{dequant.address}` stands {listed([m.address for m in moved])}",
                    )


def _way(inventory: Inventory, read: Module) -> list[Module]:
    """From what a dequantize reads back through what only moves, to the first that computes."""
    way = [read]
    while moves_only(inventory, way[-1].address) and read_once(inventory, way[-1]):
        before = source(inventory, way[-1])
        if before is None:
            break
        way.append(before)
    return way
