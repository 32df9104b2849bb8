"""upstream: what an address is computed from, back to the first operator of a kind.

`upstream("view.sample", until = gemm)` covers everything on the way back from `view.sample`,
without it, to the first convolution, linear or matmul on each path, with it. `until` is a role
(gemm, pool, ...) or an operator; every path ends at a quant stub at the latest. `operand = 1`
follows one operand.
"""

from qflow.compile import facts
from qflow.compile.selectors import Selected
from qflow.compile.selectors._arguments import split, takes
from qflow.compile.selectors._paths import missing, ordered, reached
from qflow.compile.unit import Unit
from qflow.compile.values import INTEGER, WORD, outside, unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan import op_facts

_FORM = 'upstream("ADDRESS", until = gemm)'
ROLES = ("gemm", "normalization", "activation", "elementwise", "pool", "shape", "boundary")


class Upstream:
    """Addresses in execution order."""

    budget = False

    def select(self, call: syntax.Call, unit: Unit) -> Selected:
        assert unit.inventory is not None
        positional, reader = split(call)
        if len(positional) != 1:
            return Selected(None, (takes(call, _FORM),))
        until = reader.optional("until", WORD)
        operand = reader.at_least("operand", INTEGER, 0)
        words = (*ROLES, *facts.operators())
        if until is not None and until not in words:
            reader.add(unknown("role or operator", until, words, reader.span("until")))
        found: list[Diagnostic] = list(reader.findings())
        if problem := missing(positional[0], unit):
            found.append(problem)
        if found:
            return Selected(None, tuple(found))
        sources = unit.inventory.sources[str(positional[0].value)]
        if operand is not None and operand >= len(sources):
            value = reader.value("operand")
            assert value is not None
            text = f"below {len(sources)}, the number of its operands"
            return Selected(None, (outside("operand", text, value),))
        start = sources if operand is None else sources[operand : operand + 1]
        modules = unit.inventory.by_address

        def stops(address: str) -> bool:
            op = modules[address].op
            return op == "quant" or until in (op, op_facts.role(op))

        return Selected(ordered(unit.inventory, reached(start, unit.inventory.sources, stops)))
