"""model: the float model of a plan, built, given its weights, and traced."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from qflow.diagnostics import Diagnostic, fail
from qflow.engine import checkpoint, digest, entry, imported, seeds
from qflow.engine.data import plain
from qflow.engine.examples import example
from qflow.engine.located import Located
from qflow.engine.outputs import refuse_other_shapes
from qflow.plan.plan import GraphSpec, ModelSpec
from qflow.plan.sizes import SIZE
from qflow.tracing import Traced, trace
from qflow.tracing.traced import Method


@dataclass(frozen=True)
class FloatModel:
    """The traced model with its weights, in eval mode."""

    traced: Traced
    parity: str = ""
    """How far it is from the file it was read from; empty for a model that Python builds."""

    @cached_property
    def structure(self) -> str:
        """Digest of what the model computes, weights apart."""
        module = self.traced.module
        return digest.of_json([module.code, repr(self.traced.inventory), _settings(module)])

    @cached_property
    def weights(self) -> str:
        """Digest of every parameter and buffer."""
        return digest.of_arrays(arrays_of(self.traced.module))


def load(spec: ModelSpec, graph: GraphSpec, folder: Path, size: int = SIZE) -> FloatModel:
    """Build, load, trace; `folder` is that of the .qf, `size` what sizes that are free have in the
    trace. Raises QflowError QF302, QF310 to QF314, and for a model file QF362 to QF367."""
    module = build(spec, folder)
    if spec.checkpoint is not None:
        at = entry.span_of(spec.fields, "checkpoint", spec.at)
        checkpoint.load_into(module, folder / spec.checkpoint, spec.checkpoint, at)
    parity = str(getattr(module, "parity", ""))
    return FloatModel(traced(module, spec, graph, folder, size), parity)


def build(spec: ModelSpec, folder: Path) -> nn.Module:
    """What the entry point returns, in eval mode, from a fixed seed; or the model of the file."""
    if spec.file:
        return imported.build(spec, folder)
    at = entry.span_of(spec.fields, "entry", spec.at)
    found = entry.find(spec.entry, folder, at)
    seeds.start(0, "model", spec.entry)
    with entry.importable(folder), entry.UserCode(f"`{spec.entry}`", at):
        made = found if isinstance(found, nn.Module) else found(**dict(_arguments(spec)))
    if not isinstance(made, nn.Module):
        raise fail(
            Diagnostic(
                "QF312",
                f"`{spec.entry}` returned a {type(made).__name__}, not a torch module",
                at=at,
                help="name a module class, or a function that returns a module",
            )
        )
    return made.eval()


def traced(
    module: nn.Module, spec: ModelSpec, graph: GraphSpec, folder: Path, size: int = SIZE
) -> Traced:
    """Trace on the example input."""
    outputs = tuple(p.name for p in spec.outputs)
    seeds.start(0, "trace", spec.source)
    with (
        entry.importable(folder),
        Located(entry.span_of(spec.fields, "input", spec.at)),
        entry.UserCode(f"the forward of `{spec.source}`"),
        torch.no_grad(),
    ):
        method: Method = "example" if spec.trace == "example" else "symbolic"
        inputs = example(spec.inputs, method == "example", spec.draws, spec.seed, size=size)
        found = trace(module, inputs, outputs, spec.source, graph, method)
    for note in found.notes:
        _LOG.log(_LEVELS[note.severity], "%s", _line(note))
    refuse_other_shapes(spec, found.inventory)
    return found


def _line(note: Diagnostic) -> str:
    """The first line of a note as a renderer prints it."""
    where = f" ({note.at})" if note.at else ""
    return f"{note.code} {note.severity}: {note.message}{where}"


_LOG = logging.getLogger("qflow")
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "note": logging.INFO}


def arrays_of(module: nn.Module) -> dict[str, np.ndarray]:
    """Every parameter and buffer as an array."""
    return {k: v.detach().cpu().numpy() for k, v in module.state_dict().items()}


def _settings(module: nn.Module) -> list[list[object]]:
    """Per submodule its type and every plain attribute: eps of a batch norm is in no graph."""
    return [
        [name, type(m).__qualname__, {k: repr(v) for k, v in vars(m).items() if _is_setting(k, v)}]
        for name, m in module.named_modules()
    ]


def _is_setting(name: str, value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return not name.startswith("_") and all(_is_setting(name, v) for v in value)
    plain = isinstance(value, (bool, int, float, str, type(None)))
    return plain and not name.startswith("_") and name != "training"


def _arguments(spec: ModelSpec) -> Mapping[str, object]:
    return {name: plain(value) for name, value in spec.args}
