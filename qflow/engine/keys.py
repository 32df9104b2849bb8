"""keys: the key of a stage's artifact: a digest over what the stage reads, and nothing else."""

import inspect
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qflow.engine import digest, entry
from qflow.engine.work import Stage, Work


def key_of(stage: Stage, work: Work) -> str:
    """sha256 over the stage's slice of the plan, its inputs, and the code that runs."""
    return digest.of_json(
        {
            "stage": stage.name,
            "plan": _plan(stage, work),
            "reads": {f"{s}/{f}": _read(work, s, f) for s, f in stage.reads},
            "model": work.model.structure,
            "weights": work.model.weights if stage.weights else "",
            "data": {name: work.data[name].digest for name in stage.data},
            "user code": {name: _source(name, work.folder) for name in stage.code},
            "code": digest.of_code(),
            "versions": {"numpy": np.__version__, "torch": torch.__version__},
            # a sum of floats depends on how many threads share it
            "threads": torch.get_num_threads(),
        }
    )


def _plan(stage: Stage, work: Work) -> object:
    return dict(work.plan.hashes)[stage.name] if stage.slice is None else stage.slice(work)


def _read(work: Work, stage: str, file: str) -> object:
    digests = work.made[stage].digests
    return dict(digests) if file == "*" else digests[file]


def _source(name: str, folder: Path) -> list[str]:
    """Digests of the file an entry point names and of that which defines it; built-ins: none."""
    found = entry.find(name, folder)
    named = sys.modules[name.partition(":")[0]]
    files = dict.fromkeys(s for one in (named, _definition(found)) if (s := _file(one)))
    return [digest.of_file(Path(f)) for f in files]


def _definition(found: Any) -> Any:
    """The class or function behind a `partial`, a decorator, or an object that can be called."""
    while isinstance(found, partial):
        found = found.func
    found = inspect.unwrap(found) if callable(found) else found
    return found if isinstance(found, type) or inspect.isroutine(found) else type(found)


def _file(found: Any) -> str | None:
    try:
        return inspect.getsourcefile(found)
    except (OSError, TypeError):
        return None  # built in: it changes with the version of Python or of its package
