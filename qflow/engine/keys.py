"""keys: the key of a stage's artifact: a digest over what the stage reads, and nothing else."""

import inspect
from pathlib import Path

import numpy as np
import torch

from qflow.engine import digest, entry
from qflow.engine.work import Stage, Work


def key_of(stage: Stage, work: Work) -> str:
    """sha256 over the stage's slice of the plan, its inputs, and the code that runs."""
    return digest.of_json(
        {
            "stage": stage.name,
            "plan": dict(work.plan.hashes)[stage.name],
            "reads": {f"{s}/{f}": _read(work, s, f) for s, f in stage.reads},
            "model": work.model.structure,
            "weights": work.model.weights if stage.weights else "",
            "data": {name: work.data[name].digest for name in stage.data},
            "user code": {name: _source(name, work.folder) for name in stage.code},
            "code": digest.of_code(),
            "versions": {"numpy": np.__version__, "torch": torch.__version__},
        }
    )


def _read(work: Work, stage: str, file: str) -> object:
    digests = work.made[stage].digests
    return dict(digests) if file == "*" else digests[file]


def _source(name: str, folder: Path) -> str:
    """Digest of the file that defines an entry point; empty where there is none to read."""
    found = entry.find(name, folder)
    source = inspect.getsourcefile(inspect.unwrap(found)) if callable(found) else None
    return digest.of_file(Path(source)) if source else ""
