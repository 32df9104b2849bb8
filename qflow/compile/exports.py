"""exports: the `export` blocks: which target, where to, in which layout and dtype."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

from qflow.compile import facts
from qflow.compile.unit import Unit
from qflow.compile.values import DICT, INTEGER, Reader, any_of, data, describe, outside, unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.plan import Data, ExportPlan

LAYOUTS = ("nchw", "nhwc")
DTYPES = ("float32", "int8", "uint8", "int16", "int32")
_MAPS: dict[str, Sequence[str]] = {"layout": LAYOUTS, "dtype": DTYPES}


def read(unit: Unit) -> Unit:
    """Sets `exports`; what a target cannot hold of the plan is found later."""
    exports: list[ExportPlan] = []
    found: list[Diagnostic] = []
    targets = facts.known("export")
    for block in unit.program.exports:
        known = not targets or block.name in targets
        if not known:
            found.append(unknown("export target", block.name, targets, block.name_span))
        found += _path(block)
        fields = Reader(f"export `{block.name}`", block.name_span, block.fields)
        settings = _settings(fields, block, unit) if known else ()
        found += fields.findings() if known else ()
        path = block.path.value if block.path else ""
        exports.append(ExportPlan(block.name, path, settings, block.name_span))
    return replace(unit, exports=tuple(exports)).having(found)


def _path(block: syntax.Block) -> Iterator[Diagnostic]:
    """Exports stay in the run's own folder."""
    if block.path is None:
        yield Diagnostic(
            "QF115",
            f"export `{block.name}` names no file",
            at=block.name_span,
            help=f'write `export {block.name} "model.{block.name}" {{ ... }}`',
        )
        return
    text = block.path.value
    path = PurePosixPath(text.replace("\\", "/"))
    absolute = path.is_absolute() or bool(PureWindowsPath(text).drive)
    if not path.name or absolute or ".." in path.parts:
        yield Diagnostic(
            "QF317",
            "an export stays below the `export` folder of its run",
            at=block.path.span,
            help="write a relative path without `..`",
        )


def _settings(fields: Reader, block: syntax.Block, unit: Unit) -> tuple[tuple[str, Data], ...]:
    """`layout`, `dtype`, `opset` and every field of the target's own class, sorted."""
    values: dict[str, Data] = {}
    for name, words in _MAPS.items():
        given = fields.optional(name, DICT)
        if given is not None:
            values[name] = _map(fields, name, given, words, unit)
    own = {"opset": "int"}
    if block.name in facts.known("export"):
        listed = facts.settings("export", block.name)
        own.update({name: type_ for name, type_, _ in listed if name not in _MAPS})
    for name, type_ in own.items():
        value = fields.value(name)
        if value is None:
            continue
        if type_ == "int" and INTEGER.of(value) is None:
            fields.add(
                Diagnostic(
                    "QF113", f"`{name}` is a whole number, not {describe(value)}", at=value.span
                )
            )
        values[name] = data(value)
    return tuple(sorted(values.items()))


def _map(fields: Reader, name: str, given: syntax.Dict, words: Sequence[str], unit: Unit) -> Data:
    """A word per input or output of the model."""
    ports = [p.name for p in (*unit.model.inputs, *unit.model.outputs)] if unit.model else None
    for port, value in given.entries:
        if ports is not None and port not in ports:
            fields.add(unknown("input or output", port, ports, value.span))
        if not isinstance(value, syntax.Name) or value.value not in words:
            fields.add(outside(f"{name} of {port}", any_of(words), value))
    return data(given)
