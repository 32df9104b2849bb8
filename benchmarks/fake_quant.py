"""fake_quant: what fake-quantization costs, forward and in training, against the float model.

All lanes are channels-last and eager. The float model is the one its author runs and trains, batch
norm and all; a prepared model has its batch norms folded, or folds them in every step. The lane of
torch.ao, whose batch norms are folded, is left out where that is no longer a part of torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from benchmarks import torch_ao
from benchmarks.networks import Network
from benchmarks.pairs import Lane, Work, measure, table
from benchmarks.shapes import mobilenet_v2, resnet18, vit_tiny
from qflow.qat_mode import QATMode, get_qat_mode, set_qat_mode
from qflow.quantization import FakeQuantState, prepare, set_fake_quantize
from qflow.quantization.qconfig_template import default_qat_qconfig_setter

BASE = "float"
BATCH = 8
MARCH = "nash-m"
TORCH_AO = "torch.ao, fake-quantized"
ROUNDS = 9
RATE = 1e-6
"""So small that the weights stay what they are, whatever the network."""


def main() -> None:
    """Print two tables per network."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.fake_quant")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--batch", type=int, default=BATCH)
    given = arguments.parse_args()
    run(given.rounds, given.batch)


def run(rounds: int = ROUNDS, batch: int = BATCH) -> None:
    for build in (resnet18, mobilenet_v2, vit_tiny):
        network = build()
        size = f"batch {batch}, {torch.get_num_threads()} threads"
        title = f"{network.name}, {{}}, channels-last, {size}"
        print(table(title.format("forward"), forward(network, rounds, batch), BASE), end="\n\n")
        print(table(title.format("training step"), training(network, rounds, batch), BASE))
        print()


@torch.no_grad()
def forward(network: Network, rounds: int, batch: int) -> list[Lane]:
    """The float model and the calibrated one in the state VALIDATION, on the same images."""
    images = network.images(batch).to(memory_format=torch.channels_last)
    model = last(network.build())
    rounded = prepared(network, images, QATMode.FuseBN, trains=False).eval()
    set_fake_quantize(rounded, FakeQuantState.VALIDATION)
    lanes: dict[str, Work] = {
        BASE: lambda: model(images),
        "fake-quantized": lambda: rounded(images),
    }
    if (other := of_torch_ao(network, images)) is not None:
        lanes[TORCH_AO] = lambda: other(images)
    return measure(lanes, BASE, rounds)


def training(network: Network, rounds: int, batch: int) -> list[Lane]:
    """Forward, backward and a step of SGD, in training mode; QAT observes as it rounds."""
    images = network.images(batch).to(memory_format=torch.channels_last)
    lanes: dict[str, Work] = {BASE: step(last(network.build()).train(), images)}
    for mode in (QATMode.FuseBN, QATMode.WithBN):
        model = prepared(network, images, mode, trains=True).train()
        set_fake_quantize(model, FakeQuantState.QAT)
        lanes[f"QAT, {mode.value}"] = step(model, images)
    if (other := of_torch_ao(network, images)) is not None:
        lanes[TORCH_AO] = step(_observing(other.train()), images)
    return measure(lanes, BASE, rounds)


def step(model: nn.Module, images: Tensor) -> Callable[[], None]:
    """One step towards labels that are the same each time."""
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    labels = torch.arange(len(images))

    def work() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return work


def prepared(network: Network, images: Tensor, mode: QATMode, trains: bool) -> nn.Module:
    """Channels-last and calibrated on the images; `trains` takes the setter for training."""
    before = get_qat_mode()
    set_qat_mode(mode)
    setter = default_qat_qconfig_setter if trains else None
    try:
        model = prepare(network.build(), images[:1], setter, march=MARCH, out_dir=None)
    finally:
        set_qat_mode(before)
    model = last(model)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        model(images)
    return model


def of_torch_ao(network: Network, images: Tensor) -> nn.Module | None:
    """The simulation of torch.ao, calibrated, rounding and not observing; None without torch.ao."""
    if find_spec("torch.ao.quantization") is None:
        return None
    return last(torch_ao.fake_quantized(last(network.build()), images))


def _observing(model: nn.Module) -> nn.Module:
    """As it is trained there: observing as it rounds."""
    from torch.ao.quantization import enable_observer

    return model.apply(enable_observer)


def last(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.channels_last)


if __name__ == "__main__":
    main()
