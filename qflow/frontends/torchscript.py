"""torchscript: a model that `torch.jit.trace` made, read through torch after its code was read."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qflow.frontends import archive, torchscript_code
from qflow.frontends.leafing import finished
from qflow.frontends.refusing import damaged
from qflow.frontends.source import FilePort, Source
from qflow.frontends.torchscript_graph import Reader

_GPU = re.compile(rb'torch\.device\("(?:cuda|mps|xpu)(?::\d+)?"\)')
_DROPPED = (".debug_pkl",)
"""Members that say where lines came from: nothing that is needed, and pickled."""


def read(path: Path, shown: str) -> Source:
    """Raises QflowError: QF302, QF362 to QF365. Nothing runs but torch's own loader."""
    members = archive.members(path, shown)
    torchscript_code.check(members, shown)
    script = _loaded(members, shown)
    recipe, names = Reader(script, shown).read()
    inputs = tuple(FilePort(name) for name in recipe.inputs)

    def run(values: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        with torch.no_grad():
            found = script(*(values[p.name] for p in inputs))
        if isinstance(found, Mapping):
            return tuple(found[name] for name in names)
        return tuple(found) if isinstance(found, (tuple, list)) else (found,)

    outputs = tuple(FilePort(name) for name in names)
    return Source(finished(recipe), inputs, outputs, run, "TorchScript")


def _on_cpu(name: str, raw: bytes) -> bytes:
    """Code of a model that was saved from a GPU names it where it makes tensors."""
    return _GPU.sub(b'torch.device("cpu")', raw) if name.endswith(".py") else raw


def _loaded(members: Mapping[str, bytes], shown: str) -> Any:
    """Loaded from the members that were looked at, and from nothing else of the file."""
    checked = io.BytesIO()
    with zipfile.ZipFile(checked, "w", zipfile.ZIP_STORED) as made:
        for name, raw in members.items():
            if not name.endswith(_DROPPED) and not name.startswith("traced_inputs"):
                made.writestr(f"model/{name}", _on_cpu(name, raw))
    checked.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.jit.load(checked, map_location="cpu").eval()
    except (RuntimeError, ValueError, LookupError, TypeError, OverflowError, MemoryError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [""]
        raise damaged(shown, f"torch cannot load it: {lines[0]}") from error
