"""files: what an export writes beside its own file, and all of it written whole or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from qflow import atomic
from qflow.diagnostics import EXIT, Diagnostic, fail
from qflow.export._tables.rows import BIAS, FORMAT_VERSION, WEIGHT, Missing, Row

if TYPE_CHECKING:
    from qflow.export._tables.tidy import FloatModel
    from qflow.plan.plan import ExportPlan, Plan

_PARAMETERS = {WEIGHT: "weights", BIAS: "biases"}
NAMES = ".names.json"
FLOAT = ".float.onnx"
_TARGETS = ("encodings", "tensorrt_cache", "tpu_mlir")
"""Those that look for a clash themselves."""


def bytes_of(model: FloatModel) -> bytes:
    """The float model, checked; the same bytes for the same model."""
    from qflow.export._onnx.packages import need

    need("onnx").checker.check_model(model.model, full_check=True)
    return model.model.SerializeToString(deterministic=True)


def name_map(of: str, model: str | None, rows: Sequence[Row], missing: Sequence[Missing]) -> bytes:
    """`<stem>.names.json`: which tensor is which address, and what is not in the export."""
    found = {
        "format_version": FORMAT_VERSION,
        "file": of,
        "model": model,
        "tensors": {row.id: row.record() for row in rows},
        "not_exported": [m.record() for m in missing],
    }
    return f"{json.dumps(found, indent=2, sort_keys=True)}\n".encode()


def write(files: Mapping[Path, bytes]) -> None:
    """The first file last: whoever sees it sees the others. Raises QflowError QF316."""
    try:
        for path in reversed(files):
            atomic.write(path, files[path])
    except OSError as error:
        raise fail(
            Diagnostic(
                "QF316",
                f"`{next(iter(files)).parent}` cannot be written: {error.strerror or error}",
                help="name another folder with `--out DIR`",
            ),
            EXIT.failed,
        ) from error


def summary(missing: Sequence[Missing], names: str) -> tuple[str, ...]:
    """What is said of an export that does not hold everything."""
    if not missing:
        return ()
    values = list(dict.fromkeys(m.address for m in missing if m.what not in _PARAMETERS))
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""
    counts = Counter(m.what for m in missing)
    parts = [", ".join(values[:3]) + more] if values else []
    parts += [f"{counts[what]} {word}" for what, word in _PARAMETERS.items() if counts[what]]
    return (f"not exported: {', '.join(parts)}; see {names}",)


def clashes(export: ExportPlan, plan: Plan, beside: Sequence[str]) -> Iterator[Diagnostic]:
    """QF337 for a file that an earlier block, or one of another kind, writes as well.

    `beside`: endings of what is written beside the file itself.
    """
    own = {_sibling(export.path, ending) for ending in beside}
    here = next(i for i, e in enumerate(plan.exports) if e is export)
    for place, other in enumerate(plan.exports):
        if place == here or (place > here and other.target in _TARGETS):
            continue
        theirs = {other.path, _sibling(other.path, NAMES), _sibling(other.path, FLOAT)}
        if both := sorted({export.path, *own} & theirs):
            yield Diagnostic(
                "QF337",
                f"`export {export.target}` and `export {other.target}` both write `{both[0]}`",
                at=export.at,
                help="give one of them another name, or a folder of its own",
            )


def _sibling(path: str, ending: str) -> str:
    pure = PurePosixPath(path.replace("\\", "/"))
    return str(pure.with_name(pure.stem + ending)) if pure.name else path
