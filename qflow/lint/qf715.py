"""QF715 (P15): a setter that can have no effect."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._script import Script, dotted, keyword


class Qf715:
    """What a setter says is nowhere in the qconfigs.

    Why: of a tuple of setters the first that says something wins, and a default setter says
    something about every module: whatever stands behind it is never asked. Other causes: a name
    the model does not have (prepare raises and suggests one), a name that fusion took, and a
    `qconfig` attribute, which beats every setter.

    How to mend: by name first, sensitivity next, the default last.

    Anti-pattern:

        qconfig_setter=(default_qat_qconfig_setter, ModuleNameQconfigSetter(names))

    Best practice:

        qconfig_setter=(ModuleNameQconfigSetter(names), default_qat_qconfig_setter)
    """

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        assigned = {
            t.id: n.value
            for n in script.nodes
            if isinstance(n, ast.Assign)
            for t in n.targets
            if isinstance(t, ast.Name)
        }
        for call in (n for n in script.nodes if isinstance(n, ast.Call)):
            given = keyword(call, "qconfig_setter")
            if isinstance(given, ast.Name):
                given = assigned.get(given.id)
            if isinstance(given, (ast.Tuple, ast.List)):
                yield from _unreachable(script, given)


def _unreachable(script: Script, setters: ast.Tuple | ast.List) -> Iterator[Diagnostic]:
    for place, setter in enumerate(setters.elts[:-1]):
        if _says_something_of_all(setter):
            yield warning(
                "QF715",
                "the setters behind this one are never asked: it decides every module",
                script.span(setters.elts[place + 1]),
                f"put `{dotted(setter)}` last",
            )
            return


def _says_something_of_all(setter: ast.expr) -> bool:
    name = dotted(setter).rpartition(".")[2]
    return name.endswith("qconfig_setter") and "sensitive" not in name
