"""between: every module on a way from one address to another, both included.

`between("neck.in", "head.out")` needs no list of names, and follows the model when it changes.
"""

from qflow.compile.selectors import Selected
from qflow.compile.selectors._arguments import split, takes
from qflow.compile.selectors._paths import missing, ordered, reached
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax

_FORM = 'between("FIRST", "LAST")'


class Between:
    """Addresses in execution order. QF201 where no way leads from the first to the last."""

    budget = False

    def select(self, call: syntax.Call, unit: Unit) -> Selected:
        assert unit.inventory is not None
        positional, reader = split(call)
        if len(positional) != 2:
            return Selected(None, (takes(call, _FORM),))
        problems = [p for a in positional if (p := missing(a, unit))]
        found: list[Diagnostic] = [*reader.findings(), *problems]
        if found:
            return Selected(None, tuple(found))
        first, last = (str(a.value) for a in positional)
        behind = reached((first,), unit.inventory.users, lambda a: a == last)
        before = reached((last,), unit.inventory.sources, lambda a: a == first)
        if last not in behind:
            message = f"no way leads from `{first}` to `{last}`"
            return Selected(None, (Diagnostic("QF201", message, at=call.span),))
        return Selected(ordered(unit.inventory, behind & before))
