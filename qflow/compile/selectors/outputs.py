"""outputs: the modules whose results leave the model: what the dequantize stubs read.

`outputs()` covers all of them, `outputs(cls, box)` those of the named outputs. Identities between a
module and its stub are covered with it.
"""

from qflow.compile.region import DEQUANT
from qflow.compile.selectors import Selected
from qflow.compile.selectors._arguments import split
from qflow.compile.selectors._paths import ordered, reached
from qflow.compile.unit import Unit
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax


class Outputs:
    """Addresses in execution order, without the stubs themselves."""

    budget = False

    def select(self, call: syntax.Call, unit: Unit) -> Selected:
        assert unit.inventory is not None
        positional, reader = split(call)
        modules = unit.inventory.by_address
        known = [a.removeprefix("output.") for a, m in modules.items() if m.op == "output"]
        found: list[Diagnostic] = list(reader.findings())
        for argument in positional:
            if argument.value not in known:
                found.append(unknown("output", str(argument.value), known, argument.span))
        if found:
            return Selected(None, tuple(found))
        names = [str(a.value) for a in positional] or known
        passed = (DEQUANT, "output", "identity")
        ends = [f"output.{n}" for n in names]
        all_ = reached(ends, unit.inventory.sources, lambda a: modules[a].op not in passed)
        kept = {a for a in all_ if modules[a].op not in (DEQUANT, "quant")}
        return Selected(ordered(unit.inventory, kept))
