"""defaults: the edits that make the values of a point the defaults of its params."""

import posixpath
import re
from collections.abc import Iterator, Mapping

from qflow.compile import params
from qflow.diagnostics import Diagnostic, Edit, QflowError
from qflow.lang import printer, syntax
from qflow.lang.either import is_yaml
from qflow.lang.program import Program
from qflow.lang.rewrite import walk
from qflow.plan.plan import Scalar

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def edits(program: Program, settings: Mapping[str, str]) -> Iterator[Edit]:
    """One per param whose default is another value; `settings` are values as `--set` takes them.

    Raises QflowError for a value that its param does not take: the file was changed since.
    """
    for param in program.params:
        if param.name not in settings:
            continue
        value = params.parse(param, settings[param.name], program)
        if isinstance(value, Diagnostic):
            raise QflowError((value,))
        before = params.read(param, param.value, program)
        if type(before) is type(value) and before == value:
            continue
        literal = _literal(param, value, program)
        yield Edit(param.value.span, _written(literal, param.value.span.path))


def _written(literal: syntax.Value, path: str) -> str:
    if is_yaml(path):
        from qflow.lang.yaml import flow  # here: a .qf needs none of it

        return flow.value(literal)
    return printer.show(literal)


def _literal(param: syntax.Param, value: Scalar, program: Program) -> syntax.Value:
    """The value as a node that stands where the param's default does."""
    at = param.value.span
    if isinstance(value, bool):
        return syntax.Name(str(value).lower(), span=at)
    if isinstance(value, (int, float)):
        return syntax.Number(value, _digits(value, param.name, program), span=at)
    own = _as_its_file_says(param, value, program)
    if param.type in ("string", "path") or not _WORD.fullmatch(own):
        return syntax.String(own, span=at)
    return syntax.Name(own, span=at)


def _digits(value: int | float, name: str, program: Program) -> str:
    """As the sweep has it in the file, `1e-3`, or what Python writes."""
    fields = (f for s in program.sweeps for f in s.fields if f.name == name)
    nodes = (node for field in fields for node in walk(field.value))
    numbers = (n for n in nodes if isinstance(n, syntax.Number))
    return next((n.text for n in numbers if n.value == value), repr(value))


def _as_its_file_says(param: syntax.Param, value: str, program: Program) -> str:
    """What an imported file calls it: without the alias, and relative to its own folder."""
    path = param.value.span.path
    if program.is_own(param.value.span):
        return value
    alias = param.name.rpartition(".")[0]
    if param.type == "qconfig":
        return value.removeprefix(f"{alias}.")
    if param.type != "path" or not value or posixpath.isabs(value) or "://" in value:
        return value
    start = posixpath.dirname(program.path) or "."
    return posixpath.relpath(value, posixpath.relpath(posixpath.dirname(path) or ".", start))
