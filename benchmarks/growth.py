"""growth: prepare, record and lower as a model grows; linear means the same time per module."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qflow import march
from qflow.emulation.lowering import lower
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    record,
    set_fake_quantize,
)

MARCH = "nash-m"
SIZES = (100, 1_000, 10_000)
WIDTH = 4
PER_BLOCK = 4
"""Modules of a block: two linears, a relu between them, the block itself."""


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    run(tuple(arguments.parse_args().sizes))


def run(sizes: tuple[int, ...] = SIZES) -> None:
    print(table([grown(size) for size in sizes]), end="\n\n")


@dataclass(frozen=True)
class Growth:
    modules: int
    seconds: Mapping[str, float]
    """By step, in the order they ran."""


class Block(nn.Module):
    """[N, 4] to the same: two linears beside an identity."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.second = (
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
        )

    def forward(self, x: Tensor) -> Tensor:
        # halves keep thousands of sums from running away
        return 0.5 * (x + self.second(self.relu(self.first(x))))


def model(modules: int) -> nn.Module:
    torch.manual_seed(0)
    blocks = (Block() for _ in range(modules // PER_BLOCK))
    return nn.Sequential(QuantStub(), *blocks, DeQuantStub()).eval()


def grown(modules: int) -> Growth:
    """Every step once; what the last left behind is collected before the next."""
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        started = time.perf_counter()
        made = work()
        seconds[step] = time.perf_counter() - started
        return made

    images, target = torch.randn(2, WIDTH), march.load(MARCH)
    plain = model(modules)
    prepared = timed("prepare", lambda: prepare(plain, images, march=MARCH, out_dir=None))
    set_fake_quantize(prepared, FakeQuantState.CALIBRATION)
    with torch.no_grad():
        timed("calibrate", lambda: prepared(images))
    set_fake_quantize(prepared, FakeQuantState.VALIDATION)
    recorded = timed("record", lambda: record(prepared))
    timed("lower", lambda: lower(recorded, target, target.profile))
    return Growth(sum(1 for _ in plain.modules()), seconds)


def table(found: list[Growth]) -> str:
    """Seconds, and the time per module against that of the smallest model."""
    steps = tuple(found[0].seconds)
    head = "".join(f"{step:>20}" for step in steps)
    lines = ["prepare, record and lower, and per module against the smallest model"]
    lines.append(f"  {'modules':>8}{head}")
    for growth in found:
        cells = [
            f"{growth.seconds[s]:>11.2f} s  {_share(growth, s) / _share(found[0], s):>4.2f}x"
            for s in steps
        ]
        lines.append(f"  {growth.modules:>8}" + "".join(f"{c:>20}" for c in cells))
    return "\n".join(lines)


def _share(growth: Growth, step: str) -> float:
    return growth.seconds[step] / growth.modules


if __name__ == "__main__":
    main()
