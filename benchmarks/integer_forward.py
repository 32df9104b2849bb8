"""integer_forward: the exact integer forward against the float model it came from, and its peers.

The bar is the channels-last float model as its author runs it, batch norm and all; the same with
batch norm folded is shown beside it, because an integer model always has it folded. The peers are
what else simulates or runs int8: torch.ao, onnxruntime, and the way of TPU-MLIR.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor, nn

from benchmarks import onnx_int8, torch_ao, tpu_mlir
from benchmarks.networks import Network, digits, residual_stack
from benchmarks.pairs import Lane, Work, measure, table
from benchmarks.shapes import mobilenet_v2, resnet18, vit_tiny
from qflow import march
from qflow.diagnostics import QflowError
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from qflow.plan import fusion
from qflow.quantization import FakeQuantState, prepare, record, set_fake_quantize
from qflow.tracing import fuse, trace

BASE = "float-channels-last"
BATCH = 8
"""Images a model is calibrated on."""
BATCHES = (1, 8)
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
Prepared = Callable[[str], nn.Module]
"""The calibrated network for the name of a march."""


@dataclass(frozen=True)
class Forward:
    on: Callable[[Tensor], Work]
    """From images, float32 [N, C, H, W], to the forward on them. What brings them into the form
    that it takes is not timed."""
    note: str = ""
    """What a reader of its time should know."""


def main() -> None:
    """Print a table per network and batch, and how many integers differ from the oracle."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.integer_forward")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--batch", type=int, nargs="+", default=BATCHES)
    arguments.add_argument("--lanes", nargs="+", choices=LANES, default=tuple(LANES))
    arguments.add_argument("networks", nargs="*", choices=[*NETWORKS, []], metavar="NETWORK")
    given = arguments.parse_args()
    run(given.rounds, given.batch, given.networks or tuple(NETWORKS), given.lanes)


def run(
    rounds: int = ROUNDS,
    batches: Sequence[int] = BATCHES,
    networks: Sequence[str] = tuple(NETWORKS),
    lanes: Sequence[str] = (),
) -> None:
    """All lanes where none is named."""
    names = lanes or tuple(LANES)
    for network in (NETWORKS[name]() for name in networks):
        made, left_out = forwards(network, names)
        notes = {name: forward.note for name, forward in made.items() if forward.note}
        notes |= {name: f"left out: {why}" for name, why in left_out.items()}
        for batch in batches:
            threads = torch.get_num_threads()
            found = timed(network, made, rounds, batch)
            print(table(f"{network.name}, batch {batch}, {threads} threads", found, BASE))
            for name, note in notes.items():
                print(f"  {name}: {note}")
        for march_name in (m for m in MARCHES if f"integer-{m}" in names):
            different, of = differences(network, march_name)
            print(f"  integers that differ from the oracle, {march_name}: {different} of {of:,}")
        print()


def timed(network: Network, made: Mapping[str, Forward], rounds: int, batch: int) -> list[Lane]:
    """Every lane on the same images."""
    images = network.images(batch)
    with torch.no_grad():
        works = {name: forward.on(images) for name, forward in made.items()}
        return measure(works, BASE, rounds, least_s=LEAST_S)


@torch.no_grad()
def forwards(network: Network, names: Sequence[str]) -> tuple[dict[str, Forward], dict[str, str]]:
    """The lanes asked for, and the base; then those that there are not for this network, and why.

    In the order of `LANES`.
    """
    prepared = cache(partial(quantized, network))
    made: dict[str, Forward] = {}
    left_out: dict[str, str] = {}
    for name in (n for n in LANES if n in names or n == BASE):
        try:
            made[name] = LANES[name](network, prepared)
        except QflowError as error:
            left_out[name] = error.diagnostics[0].message
        except (ImportError, NotImplementedError) as error:
            left_out[name] = str(error).splitlines()[0]
    return made, left_out


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
    return lay_out(logical_graph(prepared, name), march.load(name).layout)


def channels_last(model: nn.Module) -> nn.Module:
    return deepcopy(model).to(memory_format=torch.channels_last)


def logical_graph(prepared: nn.Module, name: str, profile: str = "") -> IntegerGraph:
    """In the model's own layout, NCHW; by the profile of the march where none is named."""
    target = march.load(name)
    return lower(record(prepared), target, profile or target.profile).graph


def _plain(model: nn.Module) -> Forward:
    return Forward(lambda images: partial(model, images))


def _last(model: nn.Module) -> Forward:
    return _on_last(channels_last(model))


def _on_last(model: nn.Module) -> Forward:
    return Forward(lambda images: partial(model, images.to(memory_format=torch.channels_last)))


def _integer(name: str, network: Network, prepared: Prepared) -> Forward:
    graph = integer_graph(prepared(name), name)
    runtime, place = TorchRuntime(graph), graph.by_id[graph.inputs[0]].address
    return Forward(lambda images: partial(runtime.run, {place: images}))


def _onnxruntime(signed: bool, network: Network, prepared: Prepared) -> Forward:
    graph = logical_graph(prepared(onnx_int8.MARCH), onnx_int8.MARCH)
    session = onnx_int8.session(graph, torch.get_num_threads(), signed)
    note = f"{session.in_int8} of {session.of} convolutions and linear layers run in int8"
    return Forward(lambda images: partial(session, images.numpy()), note)


def _tpu_mlir(network: Network, prepared: Prepared) -> Forward:
    name = tpu_mlir.MARCH
    return _on_last(tpu_mlir.Emulation(logical_graph(prepared(name), name, tpu_mlir.PROFILE)))


LANES: Mapping[str, Callable[[Network, Prepared], Forward]] = {
    "float": lambda network, _: _plain(network.build()),
    BASE: lambda network, _: _last(network.build()),
    "float-folded": lambda network, _: _last(folded(network)),
    "fake-quantized": lambda _, prepared: _last(prepared(MARCHES[0])),
    "torch.ao": lambda network, _: _last(
        torch_ao.fake_quantized(network.build(), network.images(BATCH))
    ),
    "tpu-mlir": _tpu_mlir,
    "onnxruntime": partial(_onnxruntime, False),
    "onnxruntime-signed": partial(_onnxruntime, True),
    **{f"integer-{name}": partial(_integer, name) for name in MARCHES},
}
"""In the order of the table. `float-folded` to `tpu-mlir` are channels-last; `onnxruntime` has the
setting that keeps its sums exact on x86, `onnxruntime-signed` the one that allows int8 everywhere.
"""


if __name__ == "__main__":
    main()
