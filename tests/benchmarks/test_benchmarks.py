"""Benchmarks: the lanes take turns, the ratios are per round, and every lane computes the model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks import (
    calibration,
    fake_quant,
    growth,
    integer_forward,
    networks,
    pairs,
    shapes,
    verbs,
)
from qflow.emulation.runtimes.torch import TorchRuntime


def test_lanes_take_turns_and_are_compared_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, called = [0.0], []

    def work(name: str, seconds: tuple[float, ...]):
        rounds = iter(seconds)

        def run() -> None:
            called.append(name)
            clock[0] += next(rounds)

        return run

    monkeypatch.setattr(pairs.time, "perf_counter", lambda: clock[0])
    lanes = {"a": work("a", (9, 1, 10, 2)), "b": work("b", (9, 3, 20, 8))}
    a, b = pairs.measure(lanes, base="a", rounds=3, warm=1)
    assert called == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert a.ratios == (1, 1, 1)
    assert b.seconds == (3, 20, 8)
    assert b.ratios == (3, 2, 4)
    assert b.ratio == 3
    assert b.spread == (2.5, 3.5)
    text = pairs.table("title", [a, b], "a")
    assert text.splitlines()[0] == "title"
    assert "<- 1" in text.splitlines()[2]
    assert "3.00  2.50 to 3.50" in text.splitlines()[3]


def test_short_work_is_called_often_in_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, called = [0.0], []

    def short() -> None:
        called.append(None)
        clock[0] += 0.5

    monkeypatch.setattr(pairs.time, "perf_counter", lambda: clock[0])
    (lane,) = pairs.measure({"a": short}, base="a", rounds=2, warm=0, least_s=2.0)
    assert len(called) == 1 + 2 * 4
    assert lane.seconds == (0.5, 0.5)


def test_one_round_has_no_spread() -> None:
    (lane,) = pairs.measure({"a": lambda: None}, base="a", rounds=1)
    assert lane.spread == (1.0, 1.0)


@torch.no_grad()
def test_every_forward_lane_computes_the_same_network() -> None:
    pytest.importorskip("onnxruntime")
    network = networks.residual_stack(size=8)
    made, left_out = integer_forward.forwards(network, tuple(integer_forward.LANES))
    assert left_out == {}
    assert tuple(made) == tuple(integer_forward.LANES)
    images = network.images(2)
    real = network.build()(images).flatten()
    for name, forward in made.items():
        found = forward.on(images)()
        found = found["output"] if isinstance(found, dict) else torch.as_tensor(found)
        assert torch.nn.functional.cosine_similarity(found.flatten(), real, dim=0) > 0.98, name


def test_lanes_are_chosen_and_the_base_is_always_there() -> None:
    network = networks.residual_stack(size=8)
    made, _ = integer_forward.forwards(network, ("integer-nash-m",))
    lanes = integer_forward.timed(network, made, rounds=1, batch=2)
    assert [lane.name for lane in lanes] == [integer_forward.BASE, "integer-nash-m"]
    assert all(lane.median_s > 0 for lane in lanes)


def test_a_lane_that_is_not_there_says_why_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_network: networks.Network, _prepared: object) -> integer_forward.Forward:
        raise ImportError("No module named `a_runtime`\nnor anything like it")

    lanes = {integer_forward.BASE: integer_forward.LANES[integer_forward.BASE], "a": missing}
    monkeypatch.setattr(integer_forward, "LANES", lanes)
    small = {"small": lambda: networks.residual_stack(size=8)}
    monkeypatch.setattr(integer_forward, "NETWORKS", small)
    integer_forward.run(rounds=1, batches=(1, 2), networks=("small",))
    lines = capsys.readouterr().out.splitlines()
    assert [x.split(", ")[-2] for x in lines if "batch" in x] == ["batch 1", "batch 2"]
    assert lines.count("  a: left out: No module named `a_runtime`") == 2


@torch.no_grad()
def test_the_integer_lane_computes_the_network() -> None:
    network = networks.residual_stack(size=8)
    images = network.images(4)
    graph = integer_forward.integer_graph(integer_forward.quantized(network, "nash-m"), "nash-m")
    ours = TorchRuntime(graph).run({graph.by_id[graph.inputs[0]].address: images})["output"]
    real = network.build()(images)
    assert torch.nn.functional.cosine_similarity(ours.flatten(), real.flatten(), dim=0) > 0.99
    torch.testing.assert_close(integer_forward.folded(network)(images), real, rtol=1e-4, atol=1e-4)


def test_a_verb_that_fails_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="exit code"):
        verbs.verbs(1, tmp_path / "nowhere.qf")


def test_every_shape_is_the_same_each_time_and_computes() -> None:
    for build in (shapes.resnet18, shapes.mobilenet_v2, shapes.vit_tiny):
        network = build()
        with torch.no_grad():
            first, second = (network.build()(network.images(1)) for _ in range(2))
        assert first.shape == (1, shapes.CLASSES)
        assert torch.equal(first, second)
        assert 0.1 < float(first.std()) < 10


def test_every_lane_of_fake_quantization_runs() -> None:
    network = networks.residual_stack(size=8)
    forward = [lane.name for lane in fake_quant.forward(network, rounds=1, batch=2)]
    assert forward == ["float", "fake-quantized", fake_quant.TORCH_AO]


def test_every_lane_of_calibration_runs() -> None:
    network = networks.residual_stack(size=8)
    names = calibration.observers()
    lanes, searches = calibration.passes(network, rounds=1, batch=2, names=names)
    assert [lane.name for lane in lanes] == ["float", *names]
    assert set(searches) == set(names)


def test_growth_runs_every_step() -> None:
    found = [growth.grown(size) for size in (8, 16)]
    assert list(found[0].seconds) == ["prepare", "calibrate", "record", "lower"]
    assert growth.table(found).count("1.00x") >= 4
