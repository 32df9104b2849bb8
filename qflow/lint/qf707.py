"""QF707 (P7): a FloatFunctional called as a module, or a function in an eager model."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._script import ClassFact, Script

_FUNCTIONS = (
    "relu",
    "relu6",
    "add",
    "sub",
    "mul",
    "cat",
    "matmul",
    "maximum",
    "minimum",
    "interpolate",
)
_EAGER = ("prepare_qat", "fuse_modules")


class Qf707:
    """The forward fails, or an operator is not quantized.

    Why: a FloatFunctional has methods (`add`, `cat`, ...); it is not called itself. In the eager
    flow nothing turns `+`, `torch.cat` or `F.relu` into modules, so they have no fake-quantizer.

    How to mend: call the method; use modules in eager models, or `prepare`, which does it for you.

    Anti-pattern:

        y = self.add(x, residual)

    Best practice:

        y = self.add.add(x, residual)
    """

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        eager = any(True for _ in script.calls(*_EAGER))
        for owner in script.classes:
            for method in owner.reached():
                yield from _called(script, owner, method)
                if eager and "QuantStub" in owner.attributes.values():
                    yield from _functions(script, method)


def _called(script: Script, owner: ClassFact, method: ast.FunctionDef) -> Iterator[Diagnostic]:
    for call in (n for n in ast.walk(method) if isinstance(n, ast.Call)):
        name = owner.attribute_called(call)
        if name and owner.attributes.get(name) == "FloatFunctional":
            yield warning(
                "QF707",
                f"`self.{name}` is a FloatFunctional and is called as a module",
                script.span(call),
                f"call its method: `self.{name}.add(...)`, `.mul`, `.cat`, ...",
            )


def _functions(script: Script, method: ast.FunctionDef) -> Iterator[Diagnostic]:
    for call in (n for n in ast.walk(method) if isinstance(n, ast.Call)):
        full = script.full_name(call.func)
        if full.startswith("torch.") and full.rpartition(".")[2] in _FUNCTIONS:
            yield warning(
                "QF707",
                f"`{full}` in an eager model is not quantized",
                script.span(call),
                "use a module, or a FloatFunctional's method; or prepare with `prepare`",
            )
