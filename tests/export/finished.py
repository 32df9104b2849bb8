"""Finished models of the tests: prepared, calibrated on their example, as an export stage has them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from copy import deepcopy
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, fx

from benchmarks import networks as trained
from qflow import registry
from qflow.export._model.finished import Finished, Whole
from qflow.plan.plan import ExportPlan
from qflow.quantization import FakeQuantState, prepare, set_fake_quantize
from tests import networks


@cache
def prepared(name: str, march: str) -> tuple[fx.GraphModule, dict[str, Tensor]]:
    """`digits`, or a network of the tests; its inputs by name."""
    torch.manual_seed(0)
    if name == "digits":
        network = trained.digits()
        model = prepare(network.build(), {"image": network.images(2)}, march=march, out_dir=None)
        examples = (network.images(32),)
    else:
        file = networks.load(name)
        model = prepare(file.network(), file.example(), march=march, out_dir=None)
        examples = file.example()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(*examples)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    ports = [n.name for n in model.graph.nodes if n.op == "placeholder"]
    return model.eval(), dict(zip(ports, examples, strict=True))


def finished(name: str, march: str) -> Finished:
    """Its integers are left out: these targets write of the model."""
    model = prepared(name, march)[0]
    return Finished(None, Whole(None, lambda: deepcopy(model), None))


@cache
def exported(target: str, name: str, march: str, *settings: tuple[str, object]) -> Path:
    """What a target wrote of a network, for every test that looks at it: `net` with its suffix."""
    folder = Path(tempfile.mkdtemp(prefix="qflow-exported-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = registry.load("export", target)()
    path = folder / f"net{made.suffix}"
    notes = made.write(finished(name, march), ExportPlan(target, path.name, settings), path)
    (folder / "notes").write_text("\n".join(notes))
    return path
