"""pt2, qflow and torch: what one run exports, loaded again as its consumers load it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from qflow import cli, registry
from qflow import load as load_integers
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.runtimes import numpy as oracle
from qflow.export import restore
from qflow.export._model.finished import Finished
from qflow.export._pt2.grids import OnGrid
from qflow.export._pt2.program import names_of
from qflow.plan.plan import ExportPlan
from qflow.quantization import FakeQuantize
from qflow.tracing import name_outputs
from tests.engine.conftest import forget, write_project

EXPORTS = """
export pt2 "tiny.pt2" {}
export qflow "tiny.safetensors" {}
export torch "state.safetensors" {}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a run with every export; the model's code can be imported."""
    folder = tmp_path_factory.mktemp("targets")
    write_project(folder)
    program = folder / "tiny.qf"
    text = program.read_text()
    program.write_text(text[: text.index("export onnx")] + EXPORTS)
    with pytest.MonkeyPatch.context() as patch:
        forget()
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            assert cli.main(["run", "tiny.qf", "--out", "out", "--set", "rounds=0"]) == 0
        yield folder / "out"
    forget()


@pytest.fixture(scope="module")
def restored(made: Path) -> torch.fx.GraphModule:
    """The fake-quantized model, of a float one whose weights are others."""
    torch.manual_seed(7)
    return restore(made / "export" / "state.safetensors", import_module("tiny.model").net())


def image(batch: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(batch, 1, 4, 4)).astype(np.float32) * 2


def fake_quant(model: torch.fx.GraphModule, values: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        found = name_outputs(model(image=torch.from_numpy(values)), ("logits",))
    return found["logits"].numpy()


def test_verify_runs_them(made: Path) -> None:
    """Of integers every one is equal; the program is as near to them as fake quantization is."""
    found = json.loads((made / "summary.json").read_text())
    assert found["qflow"]["max_steps"] == found["qflow"]["target_max_steps"] == 0
    assert found["pt2"]["max_steps"] < 0.01
    accuracy = {lane: m["accuracy"] for lane, m in found["metrics"].items()}
    assert accuracy["qflow"] == accuracy["integer"]
    assert accuracy["pt2"] == accuracy["fake_quant"]


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_pt2_computes_what_the_fake_quantized_model_does(
    made: Path, restored: torch.fx.GraphModule, batch: int
) -> None:
    """torch's own loader, any batch, bit for bit."""
    program = torch.export.load(made / "export" / "tiny.pt2").module()
    values = image(batch)
    with torch.no_grad():
        (found,) = torch.utils._pytree.tree_leaves(program(image=torch.from_numpy(values)))
    assert np.array_equal(found.numpy(), fake_quant(restored, values))


def test_pt2_holds_plain_operators_and_integers(made: Path) -> None:
    program = torch.export.load(made / "export" / "tiny.pt2")
    called = {str(n.target) for n in program.graph.nodes if n.op == "call_function"}
    assert {t.partition(".")[0] for t in called} == {"aten"}
    kinds = {
        n.meta["val"].dtype for n in program.graph.nodes if hasattr(n.meta.get("val"), "dtype")
    }
    assert torch.int8 in kinds
    names = json.loads(names_of(made / "export" / "tiny.pt2").read_text())["tensors"]
    nodes = {n.name for n in program.graph.nodes}
    assert {"quant", "conv", "head"} <= set(names)
    assert {entry["real"] for entry in names.values()} <= nodes


def test_pt2_of_something_else(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pt2 = registry.load("export", "pt2")()
    with pytest.raises(QflowError, match="QF302"):
        pt2.read(tmp_path / "x.pt2")
    whole = made / "export" / "tiny.pt2"
    (tmp_path / "tiny.pt2").write_bytes(whole.read_bytes())
    with pytest.raises(QflowError, match="QF318"):
        pt2.read(tmp_path / "tiny.pt2")
    names_of(tmp_path / "tiny.pt2").write_bytes(names_of(whole).read_bytes())
    assert pt2.read(tmp_path / "tiny.pt2").outputs == ("logits",)
    changed, chosen = whole.read_bytes(), random.Random(0)
    loaded = []
    monkeypatch.setattr(torch.export, "load", lambda *_, **__: loaded.append(1))
    for _ in range(1000):
        data = bytearray(changed)
        data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        (tmp_path / "tiny.pt2").write_bytes(data)
        with pytest.raises(QflowError, match="QF318"):
            pt2.read(tmp_path / "tiny.pt2")
    assert not loaded


@pytest.mark.parametrize("rounding", ["half_even", "half_up", "half_away"])
@pytest.mark.parametrize("axis", [None, 0])
def test_plain_operators_round_as_the_fake_quantizer(rounding: str, axis: int | None) -> None:
    grid = FakeQuantize(axis=axis, channels=1 if axis is None else 3, rounding=rounding)
    grid.scale.copy_(torch.tensor([0.25, 0.1, 2.0**-7])[: grid.scale.numel()])
    ties = (torch.arange(-300, 300) / 2).repeat(3, 1) * grid.scale.reshape(-1, 1)
    assert torch.equal(OnGrid(grid)(ties), grid.quantized(ties))


def test_colours_of_a_target_are_refused() -> None:
    colour = SimpleNamespace(target=SimpleNamespace(colour=(SimpleNamespace(input="image"),)))
    export = SimpleNamespace(at=None, settings=())
    (found,) = registry.load("export", "pt2")().check(export, colour)
    assert found.code == "QF501"


def test_qflow_is_the_integers(made: Path) -> None:
    graph = file.load(made / "export" / "tiny.safetensors")
    values = image(3)
    wanted = oracle.run(file.load(made / "logical.safetensors"), {"image": values})["logits"]
    run = registry.load("export", "qflow")().read(made / "export" / "tiny.safetensors")
    found = run.run({"image": values}, keep=("conv",))
    assert np.array_equal(found["logits"], wanted)
    assert found["conv"].dtype == np.int8
    assert run.profile == graph.profile
    model = load_integers(made / "export" / "tiny.safetensors")
    assert np.array_equal(model(torch.from_numpy(values)).numpy(), wanted)


def test_torch_gives_the_trained_model(made: Path, restored: torch.fx.GraphModule) -> None:
    state = restored.state_dict()
    assert not restored.training
    assert all(
        m.quantizing and m.observed for m in restored.modules() if isinstance(m, FakeQuantize)
    )
    assert float(state["conv.activation_post_process.scale"]) != 1.0
    assert torch.isfinite(torch.from_numpy(fake_quant(restored, image(2)))).all()


def test_torch_for_another_model(made: Path, tmp_path: Path) -> None:
    path = made / "export" / "state.safetensors"
    with pytest.raises(QflowError, match="QF310"):
        restore(path, import_module("tiny.model").net(width=6))
    with pytest.raises(QflowError, match="QF302"):
        restore(tmp_path / "state.safetensors", import_module("tiny.model").net())
    for name in ("state.safetensors", "state.plan.json"):
        (tmp_path / name).write_bytes((made / "export" / name).read_bytes())
    (tmp_path / "state.safetensors").write_bytes(path.read_bytes()[:-9])
    with pytest.raises(QflowError, match="QF318"):
        restore(tmp_path / "state.safetensors", import_module("tiny.model").net())
    (tmp_path / "state.plan.json").write_text("{}")
    with pytest.raises(QflowError, match="QF305"):
        restore(tmp_path / "state.safetensors", import_module("tiny.model").net())


@pytest.mark.parametrize("name", ["pt2", "torch"])
def test_integers_alone_are_no_model(made: Path, name: str, tmp_path: Path) -> None:
    finished = Finished(file.load(made / "logical.safetensors"))
    export = ExportPlan(name, "x", (), None)
    with pytest.raises(QflowError, match="QF336"):
        registry.load("export", name)().write(finished, export, tmp_path / "x")
    assert not list(tmp_path.iterdir())
