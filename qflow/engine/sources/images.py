"""images: a folder of images; folders in it are the classes, in the order of their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.engine.sources.pixels import image
from qflow.engine.sources.refusing import damaged
from qflow.plan.plan import DataSpec, PortPlan
from qflow.plan.sources import Preprocess

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm")


@dataclass(frozen=True)
class Images:
    """Files with their classes; None where the folder has none."""

    files: tuple[tuple[Path, str, int | None], ...]
    """Where it is, its name in the source, its class."""
    port: PortPlan
    how: Preprocess
    source: str
    at: Span | None

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], Any]:
        path, name, label = self.files[index]
        shown = f"{self.source.rstrip('/')}/{name}"
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise damaged(shown, error.strerror or str(error), self.at, index) from error
        return {self.port.name: image(raw, shown, self.how, self.port, self.at)}, label


def opened(path: Path, spec: DataSpec, ports: tuple[PortPlan, ...], at: Span | None) -> Images:
    """Raises QflowError: QF371 for a folder without images, QF372 for a link that leads out of it,
    QF373 for a model of several inputs.
    """
    port = single(spec, ports, at)
    classes = sorted((p for p in path.iterdir() if p.is_dir() and _seen(p)), key=_order)
    inside = [(p, label) for label, c in enumerate(classes) for p in _images(c)]
    found: list[tuple[Path, int | None]] = [*inside]
    plain = _images(path)
    if plain and inside:
        raise fail(
            Diagnostic(
                "QF371",
                f"`{spec.source}` holds images beside folders of images",
                at=at,
                help="put every image into the folder of its class, or all into one folder",
            )
        )
    found += [(p, None) for p in plain]
    root = path.resolve()
    for place, _ in found:
        if not place.resolve().is_relative_to(root):
            name = place.relative_to(path).as_posix()
            raise damaged(f"{spec.source}/{name}", "it is a link out of the folder", at)
    if not found:
        raise fail(
            Diagnostic(
                "QF371",
                f"there are no images in `{spec.source}`",
                at=at,
                notes=(f"images end in {', '.join(SUFFIXES)}",),
                help="name the folder of the images, or the one with a folder for every class",
            )
        )
    files = tuple((p, p.relative_to(path).as_posix(), label) for p, label in found)
    return Images(files, port, spec.preprocess or Preprocess(), spec.source, at)


def single(spec: DataSpec, ports: tuple[PortPlan, ...], at: Span | None) -> PortPlan:
    """The one input that images can be. Raises QflowError QF373."""
    if len(ports) == 1:
        return ports[0]
    raise fail(
        Diagnostic(
            "QF373",
            f"the model has {len(ports)} inputs, and `{spec.source}` holds images alone",
            at=at,
            help="write the inputs to an .npz or .safetensors file, or use a loader",
        )
    )


def _images(folder: Path) -> list[Path]:
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and _seen(p))
    return sorted((p for p in found if not p.is_dir()), key=_order)


def _seen(path: Path) -> bool:
    return not path.name.startswith(".")


def _order(path: Path) -> tuple[int, str]:
    """Numbers by their size, then names: class `10` stands behind `9`."""
    stem = path.stem if path.suffix.lower() in SUFFIXES else path.name
    return (int(stem) if stem.isdecimal() and len(stem) < 19 else 1 << 62, path.name)
