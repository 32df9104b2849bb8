"""tensors: arrays in a safetensors file, read sample by sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from qflow.diagnostics import Span
from qflow.engine.sources.arrays import Arrays, arranged
from qflow.engine.sources.refusing import damaged
from qflow.plan.plan import DataSpec, PortPlan


def opened(path: Path, spec: DataSpec, ports: tuple[PortPlan, ...], at: Span | None) -> Arrays:
    """Raises QflowError: QF372, QF373. The file is read where a sample is asked for."""
    try:
        file = safe_open(path, framework="np")
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise damaged(spec.source, str(error), at) from error

    def pick(name: str, index: int) -> np.ndarray:
        try:
            one = file.get_slice(name)[index : index + 1]
        except (SafetensorError, OSError, ValueError, TypeError) as error:
            # a dtype that NumPy has not, such as bfloat16
            raise damaged(spec.source, f"`{name}`: {error}", at, index) from error
        return np.asarray(one)[0]

    lengths = {name: shape[0] if shape else None for name, shape in shapes.items()}
    return arranged(spec, ports, lengths, pick, at)
