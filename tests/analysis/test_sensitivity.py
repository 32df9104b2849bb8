"""Sensitivity: equal to brute force, with fewer evaluations; stopped and gone on; saved and read."""

from __future__ import annotations

from math import inf, isclose
from pathlib import Path

import numpy as np
import pytest
import torch

from qflow import registry
from qflow.analysis import sensitivity
from qflow.analysis.ablation.partial import Partial
from qflow.analysis.similarity import Similarity
from qflow.diagnostics import QflowError
from qflow.plan import sensitivity as tables
from qflow.quantization import (
    FakeQuantize,
    FakeQuantState,
    get_default_qconfig,
    prepare,
    sensitivity_table,
    set_fake_quantize,
)
from tests.analysis.nets import (
    Branches,
    Twice,
    batches,
    calibrated,
    calibrated_with_input_grids,
)

METRICS = registry.names("analysis.similarity")


def fake_quantizers(prepared: torch.nn.Module) -> dict[str, FakeQuantize]:
    return {p: m for p, m in prepared.named_modules() if isinstance(m, FakeQuantize)}


def brute_force(prepared, data, metric: str) -> dict[tuple[str, str, int], float]:
    """(address, type, output) to value: set that one quantizer, run the whole model."""
    prepared.eval()
    set_fake_quantize(prepared, FakeQuantState.FLOAT)
    cls = registry.load("analysis.similarity", metric)
    found: dict[tuple[str, str, int], Similarity] = {}
    for x in data:
        with torch.no_grad():
            baseline = as_tuple(prepared(x))
        for path, quantizer in fake_quantizers(prepared).items():
            quantizer.quantizing = True
            with torch.no_grad():
                changed = as_tuple(prepared(x))
            quantizer.quantizing = False
            address, _, child = path.rpartition(".")
            kind = "weight" if child == "weight_fake_quant" else "activation"
            address = path if address.endswith("activation_pre_process") else address
            for i, (a, b) in enumerate(zip(baseline, changed, strict=True)):
                counter = found.setdefault((address, kind, i), cls())
                counter.update(a.double().numpy(), b.double().numpy())
    return {key: counter.result() for key, counter in found.items()}


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


@pytest.fixture(scope="module")
def branches():
    data = batches((4, 3, 8, 8))
    return calibrated(Branches(), data), data


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("network", ["branches", "twice"])
def test_equals_brute_force(network: str, metric: str, branches) -> None:
    if network == "branches":
        prepared, data = branches
    else:
        data = batches((5, 6))
        prepared = calibrated(Twice(), data)
    table = sensitivity(prepared, data, metrics=(metric,))
    expected = brute_force(prepared, data, metric)
    found = {
        (r.op_name, r.sensitive_type, i): r.metric
        for i, output in enumerate(table.outputs)
        for r in table.of(output)
    }
    assert found == expected
    assert len({v for v in found.values()}) > 2
    assert table.evaluations < table.brute_force


def test_operands_with_grids_of_their_own_are_tensors_too() -> None:
    data = batches((5, 6))
    prepared = calibrated_with_input_grids(data)
    rows = sensitivity(prepared, data, metrics=("l1",)).of()
    found = sorted((r.metric, r.op_name) for r in rows if r.sensitive_type == "input")
    expected = brute_force(prepared, data, "l1")
    paths = [key for key in expected if "activation_pre_process" in key[0]]
    assert len(paths) == len(found) == 2
    assert [m for m, _ in found] == sorted(expected[key] for key in paths)
    assert {name for _, name in found} == {"_generated_add_0"}
    assert found[0][0] != found[1][0]


def test_learned_scales_are_measured_too() -> None:
    data = batches((5, 6))
    qconfig = get_default_qconfig(activation_fake_quant="lsq", weight_fake_quant="lsq")
    prepared = calibrated(Twice(), data, qconfig)
    found = {(r.op_name, r.sensitive_type): r.metric for r in sensitivity(prepared, data).of()}
    expected = brute_force(prepared, data, "cosine")
    assert found == {(address, kind): value for (address, kind, _), value in expected.items()}


def test_nested_arguments_and_results() -> None:
    class Nested(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Twice()

        def forward(self, pair, *, more):
            return {"y": self.inner(pair[0] + more["x"]), "rest": (pair[1],)}

    x = batches((5, 6))[0]
    keywords = {"more": {"x": x}}
    prepared = prepare(
        Nested().eval(), ((x, x),), example_kw_inputs=keywords, march="nash-m", out_dir=None
    )
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        prepared((x, x), **keywords)
    prepared.eval()
    table = sensitivity(prepared, [{"pair": (x, x), **keywords}])
    assert table.outputs[0] == "y"
    assert table.of("y")[0].score > 0


def test_an_in_place_module_spoils_nothing_that_is_kept() -> None:
    torch.manual_seed(0)
    from torch import fx

    from qflow.analysis.ablation.evaluator import Evaluator
    from qflow.analysis.ablation.readers import Watch

    class Add(torch.nn.Module):
        def forward(self, x):
            return x.add_(1.0) * 2.0

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(3, 3), Add()

        def forward(self, x):
            return self.second(self.first(x))

    class Leaves(fx.Tracer):
        def is_leaf_module(self, m, name):
            return True

    net = Net()
    graph = fx.GraphModule(net, Leaves().trace(net))
    output = next(n for n in graph.graph.nodes if n.target == "second")
    evaluator = Evaluator(graph, {"y": output})
    x = torch.randn(2, 3)
    with torch.no_grad():
        expected = net(x)
        values = evaluator.start(x, Watch())
        assert evaluator.overwriting == {output}
        for _ in range(3):
            assert torch.equal(evaluator.again([output], values, {})["y"], expected)
        assert torch.equal(evaluator.start(x)[output], expected)


def test_rows_stand_by_falling_sensitivity_for_every_metric(branches) -> None:
    prepared, data = branches
    table = sensitivity(prepared, data, metrics=METRICS)
    for output in table.outputs:
        for metric in METRICS:
            rows = table.of(output, metric)
            scores = [r.score for r in rows]
            assert scores == sorted(scores, reverse=True)
            values = [r.metric for r in rows]
            closer = registry.load("analysis.similarity", metric).higher_is_closer
            assert values == sorted(values, reverse=not closer)


def test_a_scale_group_switches_as_one(branches) -> None:
    """The cat's inputs lie on its grid: there is one row for all of them, at the owner."""
    prepared, data = branches
    names = {r.op_name for r in sensitivity(prepared, data).of("first")}
    owners = {p.rpartition(".")[0] for p in fake_quantizers(prepared)}
    assert names == owners
    assert "pool" not in names


def test_what_no_output_reads_is_left_out(branches) -> None:
    prepared, data = branches
    table = sensitivity(prepared, data, outputs=("first",), metrics=("l1",))
    assert table.outputs == ("first",)
    assert "tail" not in {r.op_name for r in table.of()}
    assert "tail" in {r.op_name for r in sensitivity(prepared, data).of("second")}


def test_types_choose_what_is_measured(branches) -> None:
    prepared, data = branches
    rows = sensitivity(prepared, data, types=("weight",), metrics=("l1",)).of("first")
    assert rows
    assert {r.sensitive_type for r in rows} == {"weight"}


def test_the_model_is_left_as_it_was(branches) -> None:
    prepared, data = branches
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    before = [
        (m.training, getattr(m, "observing", 0), getattr(m, "quantizing", 0))
        for m in prepared.modules()
    ]
    state = {k: v.clone() for k, v in prepared.state_dict().items()}
    sensitivity(prepared, data, metrics=("l1",))
    after = [
        (m.training, getattr(m, "observing", 0), getattr(m, "quantizing", 0))
        for m in prepared.modules()
    ]
    assert before == after
    assert all(torch.equal(v, state[k]) for k, v in prepared.state_dict().items())
    prepared.eval()


def test_arguments_by_position_and_by_name_are_the_same(branches) -> None:
    prepared, data = branches
    name = next(n.target for n in prepared.graph.nodes if n.op == "placeholder")
    plain = sensitivity(prepared, data, metrics=("l1",))
    for form in ([(x,) for x in data], [{name: x} for x in data], iter(data)):
        assert sensitivity(prepared, form, metrics=("l1",)).rows == plain.rows


@pytest.mark.parametrize("stop_after", [1, 3, 9, 17, 18])
def test_stopped_and_gone_on_gives_the_same_table(
    branches, tmp_path: Path, stop_after: int
) -> None:
    prepared, data = branches
    whole = sensitivity(prepared, data)
    file = tmp_path / "partial.json"
    seen: list[int] = []

    def stop(done: int, total: int | None, address: str) -> None:
        seen.append(done)
        if len(seen) == stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sensitivity(prepared, data, progress=stop, resume=file)
    assert file.is_file()
    again: list[int] = []
    table = sensitivity(prepared, data, progress=lambda d, t, a: again.append(d), resume=file)
    assert table.rows == whole.rows
    assert table.samples == whole.samples == 8
    assert again == list(range(stop_after + 1, len(seen) + len(again) + 1))
    assert not file.exists()
    assert [p.name for p in tmp_path.iterdir()] == []


def test_a_kill_between_the_last_batch_and_the_end_loses_nothing(branches, tmp_path: Path) -> None:
    prepared, data = branches
    whole = sensitivity(prepared, data, metrics=("l1",))
    file = tmp_path / "partial.json"

    def killed():
        yield from data
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sensitivity(prepared, killed(), metrics=("l1",), resume=file)
    again: list[int] = []
    table = sensitivity(
        prepared, data, metrics=("l1",), resume=file, progress=lambda d, t, a: again.append(d)
    )
    assert (table.rows, table.samples, again) == (whole.rows, whole.samples, [])


def test_progress_counts_every_tensor_of_every_batch(branches) -> None:
    prepared, data = branches
    calls: list[tuple[int, int | None]] = []
    sensitivity(prepared, data, progress=lambda d, t, a: calls.append((d, t)), metrics=("l1",))
    total = len(fake_quantizers(prepared)) * len(data)
    assert calls == [(i, total) for i in range(1, total + 1)]


def test_a_partial_result_of_something_else_is_not_taken_over(branches, tmp_path: Path) -> None:
    prepared, data = branches
    file = tmp_path / "partial.json"
    interrupted(prepared, data, file)
    more = sensitivity(prepared, data, metrics=("l1",), resume=file)
    assert more.rows == sensitivity(prepared, data, metrics=("l1",)).rows
    for text in ("", "{", "[]", '{"format": "x"}', '{"format": "qflow-sensitivity-partial 1"}'):
        file.write_text(text)
        assert Partial.open(file, "key").batches == 0
        assert sensitivity(prepared, data, metrics=("l1",), resume=file).rows == more.rows


def test_other_batches_than_before_are_refused(branches, tmp_path: Path) -> None:
    prepared, data = branches
    file = tmp_path / "partial.json"
    interrupted(prepared, data, file)
    with pytest.raises(QflowError, match="QF284"):
        sensitivity(prepared, batches((4, 3, 8, 8), seed=9), resume=file)


def interrupted(prepared, data, file: Path) -> None:
    def stop(done: int, total: int | None, address: str) -> None:
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sensitivity(prepared, data, progress=stop, resume=file)


def test_what_cannot_be_measured_is_refused(branches) -> None:
    prepared, data = branches
    for wrong in ({"outputs": ("third",)}, {"metrics": ("cosin",)}, {"types": ("bias",)}):
        with pytest.raises(QflowError, match="QF110"):
            sensitivity(prepared, data, **wrong)
    with pytest.raises(QflowError, match="QF404"):
        sensitivity(prepared, [])
    with pytest.raises(QflowError, match="QF403"):
        sensitivity(prepared, [torch.full((4, 3, 8, 8), torch.nan)])
    fresh = prepare(Twice(), (torch.zeros(2, 6),), march="nash-m", out_dir=None)
    with pytest.raises(QflowError, match="QF401"):
        sensitivity(fresh, [torch.zeros(2, 6)])


def test_saved_in_the_form_of_the_field(branches, tmp_path: Path) -> None:
    prepared, data = branches
    table = sensitivity(prepared, data, metrics=("l1", "sqnr"))
    written = {p.name for p in table.save_pt(tmp_path)}
    assert written == {
        f"output_{o}_{m}_sensitive_ops.{end}"
        for o in ("first", "second")
        for m in ("l1", "sqnr")
        for end in ("pt", "txt")
    }
    file = tmp_path / "output_first_l1_sensitive_ops.pt"
    plain = torch.load(file, weights_only=True)
    assert [row[:4] for row in plain] == [r.columns()[:4] for r in table.of("first", "l1")]
    assert all(len(row) == 6 and row[4] == "qint8" and row[5].endswith("%)") for row in plain)
    loaded = sensitivity_table.load(file)
    assert [r.columns() for r in loaded] == [r.columns() for r in table.of("first", "l1")]
    assert tables.read_table(file) == loaded
    text = (tmp_path / "output_first_l1_sensitive_ops.txt").read_text().splitlines()
    assert text[0].split() == ["op_name", "sensitive_type", "op_type", "l1", "quant_dtype", "flops"]
    assert len(text) == len(plain) + 2


def test_json_lines_give_the_same_rows_back(branches, tmp_path: Path) -> None:
    prepared, data = branches
    table = sensitivity(prepared, data, metrics=("l1", "sqnr"))
    file = tmp_path / "x.json"
    table.save(file, "sqnr")
    assert tables.read(file) == table.table("sqnr")
    assert sensitivity_table.load(file) == table.table("sqnr").rows


@pytest.mark.parametrize("name", METRICS)
def test_metrics_have_a_direction(name: str) -> None:
    cls = registry.load("analysis.similarity", name)
    random = np.random.default_rng(0)
    a = random.normal(size=(6, 5))
    near, far = a + 0.01 * random.normal(size=a.shape), a + random.normal(size=a.shape)
    scores = {}
    for key, b in (("same", a), ("near", near), ("far", far)):
        counter = cls()
        counter.update(a[:2], b[:2])
        counter.update(a[2:], b[2:])
        whole = cls()
        whole.update(a, b)
        assert isclose(counter.result(), whole.result(), rel_tol=1e-12)
        scores[key] = counter.score()
        closer = 1 if cls.higher_is_closer else -1
        assert scores[key] == (1.0 if name == "cosine" else 0.0) - closer * counter.result()
    assert scores["same"] < scores["near"] < scores["far"]
    assert scores["same"] in (0.0, -inf)


def test_metrics_are_what_their_formulas_say() -> None:
    a, b = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[1.5, 2.0], [2.0, -1.0]])
    values = {}
    for name in METRICS:
        counter = registry.load("analysis.similarity", name)()
        counter.update(a, b)
        values[name] = counter.result()
    assert isclose(values["l1"], 1.5 / 4)
    assert isclose(values["mse"], 1.25 / 4)
    assert isclose(values["atol"], 1.0)
    assert isclose(values["sqnr"], 10 * np.log10(15 / 1.25))
    cosine = (1.5 + 4 + 6 + 1) / np.sqrt(15 * (2.25 + 4 + 4 + 1))
    assert isclose(values["cosine"], cosine)
    p, q = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (a, b))
    assert isclose(values["kl"], (p * np.log(p / q)).sum(1).mean())


def test_metrics_of_nothing_and_of_zeros() -> None:
    zeros, ones = np.zeros((2, 3)), np.ones((2, 3))
    expected = {
        "cosine": (1.0, 0.0),
        "l1": (0.0, 1.0),
        "mse": (0.0, 1.0),
        "atol": (0.0, 1.0),
        "sqnr": (inf, -inf),
        "kl": (0.0, 0.0),
    }
    for name in METRICS:
        for other, value in zip((zeros, ones), expected[name], strict=True):
            counter = registry.load("analysis.similarity", name)()
            counter.update(zeros, other)
            assert counter.result() == value
