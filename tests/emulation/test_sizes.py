"""Image sizes: one graph for all of them where nothing took the size of the trace for good."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.emulation.sizes import at, baked
from qflow.quantization import DeQuantStub, QuantStub
from tests.emulation.converted import Converted, convert, cosine


def image(size: tuple[int, int], batch: int = 2) -> Tensor:
    return torch.randn(batch, 1, *size, generator=torch.Generator().manual_seed(size[0]))


def made(*middle: nn.Module, size: tuple[int, int] = (8, 8)) -> Converted:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first, last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 2, 3, stride=2, padding=1)
        net = nn.Sequential(QuantStub(), first, nn.ReLU(), *middle, last, DeQuantStub())
    return convert(net.eval(), (image(size),), {}, "nash-m", "int8", "float")


def any_size(graph: IntegerGraph) -> IntegerGraph:
    return replace(graph, any_size=True)


def test_every_size_runs_alike_in_both_runtimes(tmp_path: Path) -> None:
    converted = made(nn.MaxPool2d(2), nn.Sigmoid())
    file.save(any_size(converted.graph), tmp_path / "x.qnn")
    graph = file.load(tmp_path / "x.qnn")
    assert graph.any_size
    name = graph.by_id[graph.inputs[0]].address
    fast = TorchRuntime(graph)
    for size in ((8, 8), (6, 12), (20, 10), (6, 12)):
        given = image(size, 3)
        slow = oracle.run(graph, {name: given.numpy()})
        quick = fast.run({name: given})
        rounded = converted.fake_quant({name: given})
        for output, value in slow.items():
            assert value.tobytes() == quick[output].contiguous().numpy().tobytes()
            assert value.shape == tuple(rounded[output].shape)
            assert cosine(value, rounded[output].numpy()) >= 0.99


def test_shapes_follow_and_nothing_else() -> None:
    graph = any_size(made(nn.MaxPool2d(2)).graph)
    other = at(graph, {graph.by_id[graph.inputs[0]].address: (5, 1, 12, 16)})
    assert baked(graph, other) == ()
    assert [n.output.shape for n in other.nodes][-1] == (2, 2, 3, 4)
    one_size = replace(graph, any_size=False)
    assert at(one_size, {"x": (5, 1, 12, 16)}) is one_size


def test_places_that_took_the_size_are_found() -> None:
    graph = made(nn.Upsample(scale_factor=2)).graph
    up = next(n for n in graph.nodes if n.op == "upsample")
    changed = [replace(n, attributes={"size": (24, 24)}) if n is up else n for n in graph.nodes]
    assert baked(graph, replace(graph, nodes=tuple(changed))) == (up,)
    rows = graph.constants[up.constants["row"]]
    constants = {**graph.constants, up.constants["row"]: rows + 1}
    assert baked(graph, replace(graph, constants=constants)) == (up,)
    assert baked(graph, replace(graph, nodes=graph.nodes[:-1])) == graph.nodes[-1:]


def test_a_graph_for_one_size_refuses_others_and_so_does_what_cannot_be() -> None:
    graph = made(nn.MaxPool2d(2)).graph
    name = graph.by_id[graph.inputs[0]].address
    with pytest.raises(QflowError, match="QF313"):
        oracle.run(graph, {name: image((12, 12)).numpy()})
    with pytest.raises(QflowError, match="QF313"):
        oracle.run(any_size(graph), {name: image((12, 12))[0].numpy()})
    with pytest.raises(QflowError, match=r"QF313: `3` \(max_pool2d\) does not run on inputs of"):
        oracle.run(any_size(graph), {name: image((1, 1)).numpy()})
