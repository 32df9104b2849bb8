"""calibration: one calibration pass of every observer, against the float pass.

A pass is one forward with observers on; the search for the scales, once after all of them, is shown
on its own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.fake_quant import MARCH, last
from benchmarks.networks import Network
from benchmarks.pairs import Lane, Work, measure, table
from benchmarks.shapes import mobilenet_v2, resnet18, vit_tiny
from qflow import registry
from qflow.quantization import FakeQuantize, FakeQuantState, prepare, set_fake_quantize
from qflow.quantization.qconfig import QConfig

BASE = "float"
BATCH = 8
KIND = "quantization.observers"
ROUNDS = 9
SETTINGS: dict[str, dict[str, float]] = {"clip": {"xmin": -8.0, "xmax": 8.0}}
GIVEN = ("fixed",)
"""These measure nothing."""


def main() -> None:
    """Print two tables per network."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.calibration")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--batch", type=int, default=BATCH)
    arguments.add_argument("--observers", nargs="*", default=observers())
    given = arguments.parse_args()
    run(given.rounds, given.batch, tuple(given.observers))


def observers() -> tuple[str, ...]:
    """Every observer that looks at data."""
    return tuple(n for n in registry.names(KIND) if n not in GIVEN)


def run(rounds: int = ROUNDS, batch: int = BATCH, names: tuple[str, ...] | None = None) -> None:
    for build in (resnet18, mobilenet_v2, vit_tiny):
        network = build()
        size = f"batch {batch}, {torch.get_num_threads()} threads"
        lanes, searches = passes(network, rounds, batch, observers() if names is None else names)
        title = f"{network.name}, one calibration pass, channels-last, {size}"
        print(table(title, lanes, BASE), end="\n\n")
        width = max(map(len, searches))
        print(f"{network.name}, search for the scales after it")
        for name, seconds in searches.items():
            print(f"  {name:{width}}  {seconds * 1e3:>8.1f} ms")
        print()


@torch.no_grad()
def passes(
    network: Network, rounds: int, batch: int, names: tuple[str, ...]
) -> tuple[list[Lane], dict[str, float]]:
    """The lanes, and per observer the seconds that finding all scales takes."""
    images = network.images(batch).to(memory_format=torch.channels_last)
    model = last(network.build())
    lanes: dict[str, Work] = {BASE: lambda: model(images)}
    calibrated = {name: calibrating(network, images, name) for name in names}
    lanes |= {name: _call(m, images) for name, m in calibrated.items()}
    measured = measure(lanes, BASE, rounds)
    return measured, {name: _search(m) for name, m in calibrated.items()}


def calibrating(network: Network, images: Tensor, name: str) -> nn.Module:
    """Prepared with the observer for activations, in the state CALIBRATION."""
    observer = registry.load(KIND, name)(**SETTINGS.get(name, {}))
    activation = FakeQuantize.with_args(observer=observer)
    weight = FakeQuantize.with_args(observer=registry.load(KIND, "min_max")())
    setter = QConfig(activation, weight)
    model = last(prepare(network.build(), images[:1], setter, march=MARCH, out_dir=None))
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    return model


def _call(model: nn.Module, images: Tensor) -> Callable[[], object]:
    return lambda: model(images)


def _search(model: nn.Module) -> float:
    """Seconds to read every scale."""
    quantizers = [m for m in model.modules() if isinstance(m, FakeQuantize)]
    started = time.perf_counter()
    for quantizer in quantizers:
        quantizer.settle()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
