"""compile: from lock and text to a plan as the model and its rules grow, in CPU seconds."""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from qflow.compile.front import front
from qflow.lint.findings import findings
from qflow.plan.inventory import Edge, Inventory, Module
from qflow.plan.json import dumps
from qflow.plan.lock import Lock, lock_path, render
from qflow.plan.text import render as plan_text

SIZES = ((1_000, 200), (10_000, 200), (30_000, 200), (10_000, 2_000))
"""Modules and rules."""
ROUNDS = 3
T = TypeVar("T")
ENTRY = "nets:large"
STEP = 7_919
PER_STAGE = 100
"""Blocks below `stage0`, `stage1`, ..."""


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.compile")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    run(SIZES, arguments.parse_args().rounds)


def run(sizes: tuple[tuple[int, int], ...] = SIZES, rounds: int = ROUNDS) -> None:
    print(table([compiled(*size, rounds) for size in sizes]), end="\n\n")


@dataclass(frozen=True)
class Compiled:
    """Best of the rounds, by step."""

    modules: int
    rules: int
    seconds: Mapping[str, float]


def inventory(modules: int) -> Inventory:
    """A chain of conv, batch norm and relu in stages and blocks."""
    image = (2, 3, 8, 8)
    found = [Module("image", "input", "input", image), Module("quant", "QuantStub", "quant", image)]
    edges = [Edge("image", "quant", 0)]
    last = "quant"
    for number in range((modules - 2) // 3):
        block = f"stage{number // PER_STAGE}.block{number % PER_STAGE}"
        for name, kind, op in (
            ("conv", "Conv2d", "conv2d"),
            ("bn", "BatchNorm2d", "batch_norm"),
            ("relu", "ReLU", "relu"),
        ):
            address = f"{block}.{name}"
            detail, weights = ("3->3 k3 s1", 81) if op == "conv2d" else ("", 0)
            found.append(Module(address, kind, op, image, detail=detail, weights=weights))
            edges.append(Edge(last, address, 0))
            last = address
    found += [
        Module("dequant", "DeQuantStub", "dequant", image),
        Module("output.logits", "output", "output", image),
    ]
    edges += [Edge(last, "dequant", 0), Edge("dequant", "output.logits", 0)]
    return Inventory(ENTRY, tuple(found), tuple(edges))


def program(modules: int, rules: int) -> str:
    """Half of the rules speak of a stage, half of a block; all of them of something there is."""
    # a step of its own through the blocks, so that neighbours are not of one stage
    places = [divmod(n * STEP % ((modules - 2) // 3), PER_STAGE) for n in range(rules - 1)]
    lines = [
        f'  match "stage{stage}.block{block}.*" use w8a16'
        if n % 2
        else f'  match "stage{stage}.**" patch {{ act.dtype = int16 }}'
        for n, (stage, block) in enumerate(places)
    ]
    shape = "float32[N, 3, 8, 8]"
    return "\n".join(
        (
            "qflow 1",
            f'model net {{ entry = "{ENTRY}"; input = {{image: {shape}}}; '
            f"output = {{logits: {shape}}} }}",
            'target board { march = "generic" }',
            'data calib { loader = "nets.data:calibration"; samples = 64 }',
            "quantize {",
            "  default use w8a8",
            *lines,
            "}",
            'schedule { stage calibrate on calib { state "**" = calibration }',
            '  stage evaluate on calib { state "**" = validation } }',
            "",
        )
    )


def written(folder: Path, modules: int, rules: int) -> Path:
    """A file with its lock."""
    path = folder / "large.qf"
    path.write_text(program(modules, rules), encoding="utf-8")
    lock_path(path).write_text(render(Lock(inventory(modules))), encoding="utf-8")
    return path


def compiled(modules: int, rules: int, rounds: int = ROUNDS) -> Compiled:
    """Every step once per round. Raises RuntimeError when there is no plan."""
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], T]) -> T:
        gc.collect()
        started = time.process_time()
        made = work()
        spent = time.process_time() - started
        seconds[step] = min(spent, seconds.get(step, spent))
        return made

    with tempfile.TemporaryDirectory(prefix="qflow-compile-") as folder:
        path = written(Path(folder), modules, rules)
        for _ in range(rounds):
            plan = timed("plan", lambda: front(path, {}).plan)
            if plan is None:
                raise RuntimeError("the program of this benchmark has no plan")
            timed("check", partial(findings, path, {}))
            timed("text", partial(plan_text, plan))
            timed("json", partial(dumps, plan))
    return Compiled(modules, rules, seconds)


def table(found: list[Compiled]) -> str:
    """Seconds per step."""
    steps = tuple(found[0].seconds)
    lines = ["from text and lock to a plan, CPU seconds"]
    lines.append(f"  {'modules':>8} {'rules':>6}" + "".join(f"{step:>9}" for step in steps))
    for one in found:
        cells = "".join(f"{one.seconds[step]:>7.2f} s" for step in steps)
        lines.append(f"  {one.modules:>8} {one.rules:>6}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
