"""imported: the model of a block that names a file, held against the file before anything else."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import nn

from qflow.diagnostics import Diagnostic
from qflow.engine import entry
from qflow.engine.examples import EXAMPLE_SIZE, example
from qflow.engine.located import Located
from qflow.frontends import parity, ports, reading
from qflow.plan.plan import ModelSpec

_LOG = logging.getLogger("qflow")


def build(spec: ModelSpec, folder: Path) -> nn.Module:
    """The module in the file, in eval mode.

    What was measured against the file is its `parity`, a text. Raises QflowError: QF302, QF362 to
    QF367, QF405.
    """
    with Located(entry.span_of(spec.fields, "file", spec.at)):
        source = reading.read(folder / spec.file, spec.file)
        ports.refuse_others(spec.inputs, spec.outputs, source, spec.file)
        free = any(isinstance(d, str) for p in spec.inputs for d in p.dims)
        # a size that was written into the file shows only with another one
        sizes = (EXAMPLE_SIZE, EXAMPLE_SIZE + 1) if free else (EXAMPLE_SIZE,)
        cases = [example(spec.inputs, True, spec.draws, spec.seed, n) for n in sizes]
        found = parity.measure(source, [p.name for p in spec.outputs], cases, spec.file)
        if found is None:
            note = unmeasured(spec.file)
            _LOG.info("%s note: %s", note.code, note.message)
        else:
            parity.refuse_far(found, spec.tolerance, spec.file)
            _LOG.info("the model of `%s` is %s", spec.file, found)
    source.module.parity = f"not compared with {source.runtime}" if found is None else str(found)
    return source.module


def unmeasured(shown: str) -> Diagnostic:
    """What is said where nothing runs the file."""
    return Diagnostic(
        "QF368",
        f"the model of `{shown}` was not compared with the file: onnxruntime is not installed",
        help="pip install 'qflow[onnx]'",
        severity="note",
    )
