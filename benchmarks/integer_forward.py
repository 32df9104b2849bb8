"""integer_forward: the exact integer forward against the float model it came from.

The bar is the channels-last float model as its author runs it, batch norm and all; the same with
batch norm folded is shown beside it, because an integer model always has it folded.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import torch
from torch import nn

from benchmarks.networks import Network, digits, residual_stack
from benchmarks.pairs import Lane, Work, measure, table
from benchmarks.shapes import mobilenet_v2, resnet18, vit_tiny
from qflow import march
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.plan import fusion
from qflow.quantization import FakeQuantState, prepare, record, set_fake_quantize
from qflow.tracing import fuse, trace

BASE = "float, channels-last"
BATCH = 8
ROUNDS = 15
LEAST_S = 0.05
"""A turn lasts at least so long: a call on digits takes about a millisecond."""
MARCHES = ("nash-m", "generic")
NETWORKS: Mapping[str, Callable[[], Network]] = {
    "digits": digits,
    "residual": residual_stack,
    "resnet18": resnet18,
    "mobilenet_v2": mobilenet_v2,
    "vit_tiny": vit_tiny,
}
CHECKED = 1
"""Images whose every integer is compared with the oracle's."""


def main() -> None:
    """Print one table per network, and how many integers differ from the oracle."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.integer_forward")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--batch", type=int, default=BATCH)
    arguments.add_argument("networks", nargs="*", choices=[*NETWORKS, []], metavar="NETWORK")
    given = arguments.parse_args()
    run(given.rounds, given.batch, given.networks or tuple(NETWORKS))


def run(
    rounds: int = ROUNDS, batch: int = BATCH, networks: Sequence[str] = tuple(NETWORKS)
) -> None:
    for name in networks:
        network = NETWORKS[name]()
        found = forward(network, rounds, batch)
        threads = torch.get_num_threads()
        print(table(f"{network.name}, batch {batch}, {threads} threads", found, BASE))
        for march_name in MARCHES:
            different, of = differences(network, march_name)
            print(f"  integers that differ from the oracle, {march_name}: {different} of {of:,}")
        print()


@torch.no_grad()
def forward(network: Network, rounds: int, batch: int) -> list[Lane]:
    """Every lane on the same images."""
    images = network.images(batch)
    last = images.to(memory_format=torch.channels_last)
    model = network.build()
    by_march = {name: quantized(network, name) for name in MARCHES}
    lanes: dict[str, Work] = {
        "float": _call(model, images),
        BASE: _call(channels_last(model), last),
        "float, folded, channels-last": _call(channels_last(folded(network)), last),
        "fake-quantized": _call(channels_last(by_march[MARCHES[0]]), last),
    }
    for name, prepared in by_march.items():
        graph = integer_graph(prepared, name)
        runtime = TorchRuntime(graph)
        inputs = {graph.by_id[graph.inputs[0]].address: images}
        lanes[f"integer, {name} ({graph.profile})"] = lambda r=runtime, i=inputs: r.run(i)
    return measure(lanes, BASE, rounds, least_s=LEAST_S)


def differences(network: Network, name: str) -> tuple[int, int]:
    """Integers in which the runtime and the oracle differ, of how many: every node's."""
    graph = integer_graph(quantized(network, name), name)
    images = network.images(CHECKED)
    kept = [n.id for n in graph.nodes if n.op != "input"]
    place = graph.by_id[graph.inputs[0]].address
    fast = TorchRuntime(graph).run({place: images}, kept)
    slow = oracle.run(graph, {place: images.numpy()}, kept)
    different = sum(int((fast[k].numpy() != slow[k]).sum()) for k in kept)
    return different, sum(slow[k].size for k in kept)


def folded(network: Network) -> nn.Module:
    """The float model with batch norm inside the convolutions, as the integer one has it."""
    traced = trace(network.build(), {"image": network.images(2)}, ("output",), network.name)
    return fuse(traced, fusion.find(traced.inventory, (), lambda _: ""))


def quantized(network: Network, name: str) -> nn.Module:
    """The network prepared for a march, calibrated on its own images."""
    prepared = prepare(network.build(), network.images(2), march=name, out_dir=None)
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    prepared(network.images(BATCH))
    set_fake_quantize(prepared, FakeQuantState.VALIDATION)
    return prepared


def integer_graph(prepared: nn.Module, name: str) -> IntegerGraph:
    """In the layout and arithmetic of the march."""
    target = march.load(name)
    return lay_out(lower(record(prepared), target, target.profile).graph, target.layout)


def channels_last(model: nn.Module) -> nn.Module:
    return deepcopy(model).to(memory_format=torch.channels_last)


def _call(model: nn.Module, images: torch.Tensor) -> Callable[[], object]:
    return lambda: model(images)


if __name__ == "__main__":
    main()
