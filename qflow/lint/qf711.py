"""QF711 (P11): a loop or branch that depends on data, with operators that tracing must name."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._forward import branches, data_names, functional
from qflow.lint._script import Script, is_wrapped


class Qf711:
    """Scales belong to other operators than before, or the forward fails after prepare.

    Why: functional operators get their names in the order in which they run. When a loop or branch
    depends on data, another input runs others, and one that ran exactly once while tracing may be
    fused with its neighbours.

    How to mend: `dynamic_block` around the operators inside the loop, or `wrap` the method.
    Bodies that only call modules need neither.

    Anti-pattern:

        while x.max() > 1:
            x = x * 0.5

    Best practice:

        while x.max() > 1:
            with dynamic_block(self, "halve"):
                x = x * 0.5
    """

    said_by = ("QF314",)

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for owner in script.classes:
            if is_wrapped(owner.node) or owner.node.name in script.wrapped:
                continue
            for method, block in branches(owner):
                found = functional(script, block, data_names(method))
                if found is not None:
                    yield warning(
                        "QF711",
                        "this runs, or how often it runs, depends on the values of a tensor",
                        script.span(found),
                        "put `with dynamic_block(self, ...)` around it, or `wrap` the method",
                    )
