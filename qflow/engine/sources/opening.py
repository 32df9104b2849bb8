"""opening: the source of a data block, told by its name: a file's suffix, or a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.engine.sources import images, lmdb, npz, tensors
from qflow.plan.plan import DataSpec, PortPlan

Opener = Callable[[Path, DataSpec, tuple[PortPlan, ...], "Span | None"], Any]

_SUFFIXES: dict[str, Opener] = {
    ".npz": npz.opened,
    ".safetensors": tensors.opened,
    ".lmdb": lmdb.opened,
    ".mdb": lmdb.opened,
}


def opened(spec: DataSpec, inputs: tuple[PortPlan, ...], folder: Path, at: Span | None) -> Any:
    """Something with a length that takes an index and gives (inputs by name, target or None).

    Raises QflowError: QF302, QF371 for a source of an unknown kind, QF370 for a preprocessing of
    what is no image, QF372, QF373, QF405.
    """
    path = folder / spec.source
    if not path.exists():
        raise fail(
            Diagnostic(
                "QF302",
                f"there is no `{spec.source}`",
                at=at,
                help="correct the path; it is relative to the folder of the .qf file",
            )
        )
    opener = _SUFFIXES.get(path.suffix.lower())
    if opener is None and path.is_dir():
        opener = lmdb.opened if (path / "data.mdb").is_file() else images.opened
    if opener is None:
        raise fail(
            Diagnostic(
                "QF371",
                f"`{spec.source}` is no source of data by its name",
                at=at,
                notes=("there are .npz, .safetensors and .lmdb files, and folders of images",),
                help='write it as one of these, or read it with `loader = "package.module:name"`',
            )
        )
    if spec.preprocess is not None and opener in (npz.opened, tensors.opened):
        raise fail(
            Diagnostic(
                "QF370",
                f"`{spec.source}` holds arrays, and `preprocess` is for images",
                at=dict(spec.fields).get("preprocess", at),
                help="store the arrays as the model takes them, or name a folder of images",
            )
        )
    return opener(path, spec, inputs, at)
