"""digits_mixed: the committed table fits, ranks as brute force does, and the pipeline holds."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from qflow import cli, march  # noqa: E402
from qflow.analysis import sensitivity  # noqa: E402
from qflow.compile.front import front  # noqa: E402
from qflow.engine import candidate  # noqa: E402
from qflow.engine.session import trace  # noqa: E402
from qflow.plan.sensitivity import read  # noqa: E402
from qflow.quantization import FakeQuantize, prepare_plan, set_states  # noqa: E402

PIPELINES = Path(__file__).parents[2] / "pipelines"
FILE = PIPELINES / "digits_mixed.qf"


@pytest.fixture(scope="module")
def prepared():
    """Digits with the candidate everywhere, calibrated, and two batches of images."""
    found = front(FILE, {})
    assert found.program is not None
    assert found.unit is not None
    model = trace(FILE, found, {})
    plan, _ = candidate.compiled(
        found.program, found.unit.sensitivities[0], model.traced.inventory, {}
    )
    module = prepare_plan(model.traced, plan, march.load(plan.target.march))
    set_states(module, dict(plan.stages[0].states))
    sys.path.insert(0, str(PIPELINES))
    try:
        images = importlib.import_module("digits.data").calibration().images
    finally:
        sys.path.remove(str(PIPELINES))
    batches = [images[:32], images[32:64]]
    with torch.no_grad():
        for batch in batches:
            module(batch)
    return module.eval(), batches


def test_ranks_as_brute_force_does_in_fewer_evaluations(prepared) -> None:
    module, batches = prepared
    table = sensitivity(module, batches, metrics=("cosine", "l1", "mse"))
    set_states(module, {})
    counted = Evaluations(module)
    quantizers = {p: m for p, m in module.named_modules() if isinstance(m, FakeQuantize)}
    for quantizer in quantizers.values():
        quantizer.observing = quantizer.quantizing = False
    sums = {p: [0.0, 0.0, 0.0, 0.0, 0.0] for p in quantizers}
    with torch.no_grad():
        for batch in batches:
            plain = module(batch).double()
            for path, quantizer in quantizers.items():
                quantizer.quantizing = True
                changed = module(batch).double()
                quantizer.quantizing = False
                apart = plain - changed
                new = (plain * changed, plain**2, changed**2, apart.abs(), apart**2)
                sums[path] = [a + b.sum().item() for a, b in zip(sums[path], new, strict=True)]
    elements = sum(b.shape[0] for b in batches) * 10
    scores = {
        path: (1 - ab / (a * b) ** 0.5, l1 / elements, mse / elements)
        for path, (ab, a, b, l1, mse) in sums.items()
    }
    for place, metric in enumerate(("cosine", "l1", "mse")):
        rows = table.of(metric=metric)
        found = {path_of(r): r.score for r in rows}
        expected = {path: values[place] for path, values in scores.items()}
        assert found.keys() == expected.keys()
        for path, score in found.items():
            assert score == pytest.approx(expected[path], rel=1e-6, abs=1e-14)
        assert [path_of(r) for r in rows] == sorted(expected, key=lambda p: -expected[p])
    assert counted.total == table.brute_force
    assert (table.evaluations, table.brute_force) == (224, 384)


def path_of(row) -> str:
    child = {"weight": "weight_fake_quant", "activation": "activation_post_process"}
    return f"{row.op_name}.{child[row.sensitive_type]}"


class Evaluations:
    """Counts every module of the graph that runs."""

    def __init__(self, module) -> None:
        self.total = 0
        for node in module.graph.nodes:
            if node.op == "call_module":
                module.get_submodule(node.target).register_forward_hook(self._count)

    def _count(self, *_: object) -> None:
        self.total += 1


def test_the_committed_table_fits_and_decides() -> None:
    found = front(FILE, {}, locked=True)
    assert [d.code for d in found.diagnostics] == []
    assert found.plan is not None
    wide = {m.address for m in found.plan.modules if m.act and m.act.dtype.value == "int16"}
    none = front(FILE, {"top": "0"}).plan
    assert none is not None
    assert wide
    assert not any(m.act and m.act.dtype.value == "int16" for m in none.modules)
    first = next(
        r
        for r in read(PIPELINES / "digits_mixed.sens.json").rows
        if r.sensitive_type == "activation"
    )
    assert first.op_name in wide


def test_the_pipeline_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = {p.name for p in PIPELINES.iterdir()}
    assert cli.main(["run", str(FILE), "--out", str(tmp_path / "out")]) == 0
    assert {p.name for p in PIPELINES.iterdir()} == before


def test_measuring_again_gives_the_committed_ranking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("digits_mixed.qf", "digits_mixed.qf.lock"):
        shutil.copy(PIPELINES / name, tmp_path)
    shutil.copytree(
        PIPELINES / "digits", tmp_path / "digits", ignore=shutil.ignore_patterns("__pycache__")
    )
    assert cli.main(["sensitivity", str(tmp_path / "digits_mixed.qf")]) == 0
    again, committed = (read(p / "digits_mixed.sens.json") for p in (tmp_path, PIPELINES))
    assert again.origin == committed.origin
    for a, b in zip(again.rows, committed.rows, strict=True):
        assert (a.op_name, a.sensitive_type) == (b.op_name, b.sensitive_type)
        assert a.score == pytest.approx(b.score, rel=1e-3)
