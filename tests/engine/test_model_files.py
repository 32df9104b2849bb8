"""A model block that names a file: loaded, locked and refused like any other model."""

from pathlib import Path

import pytest
import torch
from torch import nn

from qflow.diagnostics import QflowError
from qflow.engine.lock import make_lock
from qflow.engine.model import load
from qflow.lint.findings import findings
from qflow.plan.lock import lock_path, render
from qflow.plan.plan import GraphSpec, ModelSpec, PortPlan
from qflow.plan.sources import Draw
from tests.frontends import nets

IMAGE = PortPlan("input", "float32", ("N", 4))
LOGITS = PortPlan("logits", "float32", ("N", 2))
PROGRAM = """qflow 1

model net {{
  file   = "net.ts"
  {}
  input  = {{input: float32[N, 4]}}
  output = {{logits: float32[N, 2]}}
}}

target board {{ march = "nash-m" }}
data calib {{ loader = "a:b" }}
quantize {{ default use w8a8 }}
schedule {{ stage calibrate on calib {{ state "**" = calibration }} }}
"""


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    nets.traced(model(), tmp_path / "net.ts", torch.rand(2, 4))
    return tmp_path


def spec(**fields: object) -> ModelSpec:
    return ModelSpec("net", "", (), None, (IMAGE,), (LOGITS,), file="net.ts", **fields)  # type: ignore[arg-type]


def test_it_is_loaded_with_its_parity(folder: Path) -> None:
    found = load(spec(), GraphSpec(), folder)
    assert found.parity == "as TorchScript computes it, bit for bit"
    assert [m.address for m in found.traced.inventory.modules][1:5] == [
        "_generated_quant_0",
        *("0", "1", "2"),
    ]
    assert found.traced.inventory.model == "net.ts"


def test_a_checkpoint_takes_the_place_of_its_weights(folder: Path) -> None:
    state = {k: torch.ones_like(v) for k, v in model().state_dict().items()}
    torch.save(state, folder / "other.pt")
    before = load(spec(), GraphSpec(), folder)
    import dataclasses

    after = load(dataclasses.replace(spec(), checkpoint="other.pt"), GraphSpec(), folder)
    assert after.structure == before.structure
    assert after.weights != before.weights
    assert all(bool((v == 1).all()) for v in after.traced.module.state_dict().values())


def test_what_is_drawn_decides_the_parity(folder: Path) -> None:
    class Far(nn.Module):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return torch.exp(input)[:, :2]

    nets.traced(Far(), folder / "net.ts", torch.rand(2, 4))
    load(spec(), GraphSpec(), folder)
    with pytest.raises(QflowError, match="QF367"):
        # the file itself is not finite there
        load(spec(draws=(Draw("input", "uniform", 100.0, 200.0),)), GraphSpec(), folder)


def test_the_lock_knows_the_file(folder: Path) -> None:
    path = folder / "x.qf"
    path.write_text(PROGRAM.format(""))
    found = make_lock(path, {})
    (fact,) = found.files
    assert (fact.kind, fact.path, fact.size) == (
        "weights",
        "net.ts",
        (folder / "net.ts").stat().st_size,
    )
    lock_path(path).write_text(render(found))
    assert not [d for d in findings(path, {}, True).diagnostics if d.severity == "error"]
    nets.traced(nn.Sequential(nn.Linear(4, 2)).eval(), folder / "net.ts", torch.rand(2, 4))
    other = make_lock(path, {})
    assert other.files[0].digest != fact.digest
    assert len(other.inventory.modules) < len(found.inventory.modules)


def test_errors_stand_at_the_field(folder: Path) -> None:
    path = folder / "x.qf"
    path.write_text(PROGRAM.format("").replace("net.ts", "none.ts"))
    with pytest.raises(QflowError, match="QF302") as caught:
        make_lock(path, {})
    at = caught.value.diagnostics[0].at
    assert at is not None
    assert at.line == 4


def test_a_size_that_was_written_into_the_file(folder: Path) -> None:
    class Baked(nn.Module):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return input[:, :2] + torch.arange(2.0)[:, None]

    nets.traced(Baked(), folder / "net.ts", torch.rand(2, 4))
    with pytest.raises(QflowError, match="QF366") as caught:
        load(spec(), GraphSpec(), folder)
    assert "make the file with one" in str(caught.value)
