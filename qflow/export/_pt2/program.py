"""program: the fake-quantized model captured by torch.export, written, read and run."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, fx

from qflow import atomic
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail
from qflow.emulation.record import Damaged, Record
from qflow.export._pt2.grids import written_out
from qflow.export._torch.state import whole_of
from qflow.tracing import name_outputs

if TYPE_CHECKING:
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan, Plan, PortPlan

FACTS = "qflow.json"
"""A file within the archive: names of the outputs, in order, and the arithmetic of the target."""
SHA256 = "sha256"
"""Of the program, in the map of names: torch unpickles, so another file is never given to it."""
FREE = 2
"""What a free dimension is in the example; 0 and 1 would be taken for constants."""


@dataclass(frozen=True)
class Runnable:
    program: Any
    outputs: tuple[str, ...]
    profile: str
    """Arithmetic of the target it was trained for: the nearest there is in integers."""
    tensors: Mapping[str, Any] = field(default_factory=dict)
    """None: inner tensors are nodes of the program, not integers of the graph."""

    def run(
        self, inputs: Mapping[str, np.ndarray], *, keep: Collection[str] = ()
    ) -> dict[str, np.ndarray]:
        """Outputs by name, float32. Nothing can be kept."""
        assert not keep, "`tensors` names what can be kept"
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        with torch.no_grad():
            found = self.program(**tensors)
        named = name_outputs(found, self.outputs)
        return {n: t.detach().numpy() for n, t in named.items()}


def write(finished: Finished, export: ExportPlan, path: Path) -> None:
    """Raises QflowError QF336, QF502, QF316."""
    whole = whole_of(finished, "pt2")
    dynamic = bool(dict(export.settings).get("dynamic", True))
    program = captured(whole.prepared(), whole.plan, dynamic)
    outputs = [p.name for p in whole.plan.model.outputs]
    facts = json.dumps({"outputs": outputs, "profile": finished.graph.profile})
    made = BytesIO()
    torch.export.save(program, made, extra_files={FACTS: facts})
    beside = {"model": path.name, SHA256: sha256(made.getvalue()).hexdigest(), **_names(program)}
    names = json.dumps(beside, indent=2, sort_keys=True) + "\n"
    for place, data in {names_of(path): names, path: made.getvalue()}.items():
        try:
            atomic.write(place, data)
        except OSError as error:
            message = f"`{place}` cannot be written: {error.strerror or error}"
            help_ = "name another folder with `--out DIR`"
            raise fail(Diagnostic("QF316", message, help=help_), EXIT.failed) from error


def captured(module: fx.GraphModule, plan: Plan, dynamic: bool) -> torch.export.ExportedProgram:
    """The program of a fake-quantized model, which is changed. Raises QflowError QF502."""
    plain = written_out(module.eval())
    for node in module.graph.nodes:
        # a node stands for what it was before its fusion: where it is called says it better
        node.meta.pop("nn_module_stack", None)
    example = {p.name: _example(p) for p in plan.model.inputs}
    shapes = {p.name: _free(p) for p in plan.model.inputs} if dynamic else None
    try:
        with torch.no_grad():
            return torch.export.export(plain, (), example, dynamic_shapes=shapes, strict=False)
    except (RuntimeError, ValueError, TypeError, torch._dynamo.exc.UserError) as why:
        raise _refused(why, dynamic) from why


def read(path: Path) -> Runnable:
    """Raises QflowError: QF302 without the file, QF318 where it is not the one that was written."""
    if not path.is_file():
        raise fail(Diagnostic("QF302", f"`{path}` is missing", help="run the export again"))
    data, extra = path.read_bytes(), {FACTS: ""}
    try:
        names = Record.parse(names_of(path).read_bytes(), names_of(path).name)
        if names.text(SHA256) != sha256(data).hexdigest():
            raise Damaged("it is not the one that was written")
        program = torch.export.load(BytesIO(data), extra_files=extra)
        facts = Record.parse(extra[FACTS], FACTS)
        outputs, profile = facts.texts("outputs"), facts.text("profile")
    except (Damaged, OSError) as why:
        message = f"`{path}` is no program that can be used: {why}"
        raise fail(Diagnostic("QF318", message, help="run the export again")) from why
    return Runnable(program.module(), outputs, profile)


def names_of(path: Path) -> Path:
    """The map of names beside a file; that of an ONNX file of the same stem is another."""
    return path.with_name(f"{path.name}.names.json")


def _example(port: PortPlan) -> Tensor:
    dims = [FREE if isinstance(d, str) else d for d in port.dims]
    return torch.zeros(dims, dtype=getattr(torch, port.dtype))


def _free(port: PortPlan) -> dict[int, Any]:
    return {i: torch.export.Dim.AUTO for i, d in enumerate(port.dims) if isinstance(d, str)}


def _names(program: torch.export.ExportedProgram) -> dict[str, Any]:
    """Address to the nodes of its module: what its call computes last is its output."""
    tensors: dict[str, dict[str, Any]] = {}
    for node in program.graph.nodes:
        for address, _ in (node.meta.get("nn_module_stack") or {}).values():
            if address and node.op == "call_function":
                tensors[address] = {"tensor": None, "real": node.name}
    return {"format_version": "1.0", "tensors": tensors, "not_exported": []}


def _refused(why: Exception, dynamic: bool) -> QflowError:
    first = (str(why).strip().splitlines() or [type(why).__name__])[0]
    help_ = "set `dynamic = false`" if dynamic else "export the integers instead"
    return fail(
        Diagnostic("QF502", "torch.export does not take the model", notes=(first,), help=help_),
        EXIT.failed,
    )
