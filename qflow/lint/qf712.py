"""QF712 (P12): a forward that tests `self.training`, or leaves torch, and is not wrapped."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._script import ClassFact, Script, dotted, is_wrapped


class Qf712:
    """The branch for training is gone after tracing, or an array is a constant.

    Why: tracing follows the branch that is taken and drops the other. What leaves torch, such as
    NumPy, is computed once, on the example, and frozen.

    How to mend: put it into a method and `wrap` that, or the class.

    Anti-pattern:

        def forward(self, x):
            if self.training: return self.loss(x)

    Best practice:

        @wrap()
        def post_process(self, x):
            if self.training: return self.loss(x)
    """

    said_by = ("QF314",)

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for owner in script.classes:
            if is_wrapped(owner.node) or owner.node.name in script.wrapped:
                continue
            yield from _inside(script, owner)


def _inside(script: Script, owner: ClassFact) -> Iterator[Diagnostic]:
    for method in owner.reached():
        for node in ast.walk(method):
            if isinstance(node, (ast.If, ast.IfExp)) and _asks_mode(node.test):
                yield warning(
                    "QF712",
                    "a trace keeps one branch of `self.training` and drops the other",
                    script.span(node.test),
                    "put the branch into a method with `@wrap()`",
                )
            elif isinstance(node, ast.Call) and script.full_name(node.func).startswith("numpy."):
                yield warning(
                    "QF712",
                    "NumPy is not traced: its result becomes a constant",
                    script.span(node),
                    "use torch, or put it into a method with `@wrap()`",
                )


def _asks_mode(test: ast.expr) -> bool:
    return any(dotted(n) == "self.training" for n in ast.walk(test))
