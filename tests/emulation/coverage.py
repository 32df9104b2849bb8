"""Coverage: what of every network style each march runs in integers, as a page.

Every network of tests/networks, calibrated on its example, is lowered with `unlisted = float`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qflow import march as marches
from qflow.atomic import write
from qflow.diagnostics import QflowError
from qflow.emulation.coverage import Coverage, Left
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.converted import Converted, cosine
from tests.emulation.styles import STYLES, converted

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "coverage.md"
DTYPES = ("int8", "int16")
MARCHES = (
    "nash-m",
    "nash-e",
    "bayes",
    "bernoulli2",
    "generic",
    "tflite",
    "onnxruntime",
    "tosa",
    "bm1684x",
    "bm1684",
    "bm1688",
    "cv18xx",
)
HEAD = """# Coverage

What of every style of network each march runs in integers. The networks are those of
`tests/networks`: small, with random weights, calibrated on their example; `unlisted = float` lets
what a march lacks run on floats, between a dequantize and a quantize.

- **operators**: those that run in integers, of all in the quantized part. Operators that a network
  runs before its quantize stubs or behind its dequantize stubs are counted by themselves, as
  *outside*: what decodes the boxes of a detector, and the embeddings of whole numbers of BERT.
- **MACs**: the share of all multiply-accumulates, of matrix products and attention as well.
- **cosine**: of the integer model's output with the fake-quantized model's, the least of all
  outputs. Where a target's own rules choose other grids than calibration did (the Sophgo TPUs take
  unsigned ones and propagate thresholds) it says how far they lead.

Written by `python -m tests.emulation.coverage [MARCH ...]`; `make test` checks the rows of nash-m.
"""


@dataclass(frozen=True)
class Row:
    """One network on one march at one dtype."""

    coverage: Coverage
    cosine: float


def least_cosine(made: Converted, example: dict) -> float:
    given = made.given(example)
    outputs = TorchRuntime(made.graph).run(given)
    rounded = made.fake_quant(example)
    return min(cosine(outputs[n].numpy(), rounded[n].numpy()) for n in rounded)


def cells(coverage: Coverage) -> str:
    """As the page has it."""
    within, share = coverage.within, coverage.multiply_accumulates.share
    return f"{within.integer} of {within.total} | {coverage.outside or ''} | {share:.2%}"


def row(name: str, dtype: str, coverage: Coverage) -> str:
    """The page's row up to the cosine."""
    return f"| {name} | {dtype} | {cells(coverage)} | "


@cache
def section(march: str) -> str:
    """What the page has of a march."""
    return PAGE.read_text(encoding="utf-8").partition(f"\n## `{march}`\n")[2].partition("\n## ")[0]


def dtypes_of(march: str) -> tuple[str, ...]:
    """Those its quantize gives."""
    support = marches.load(march).support("quant")
    assert support is not None
    return tuple(d for d in DTYPES if d in support.output)


def page(anew: Sequence[str]) -> Iterator[str]:
    """The page; sections of other marches than those stay as they are."""
    yield HEAD
    for march in MARCHES:
        yield f"\n## `{march}`\n"
        yield from _of_march(march) if march in anew else (section(march).rstrip("\n"), "\n")


def _of_march(march: str) -> Iterator[str]:
    yield "\n| network | activations | operators | outside | MACs | cosine |\n"
    yield "|---|---|---|---:|---:|---:|\n"
    left: dict[tuple[str, str], Counter[str]] = {}
    for name in STYLES:
        for dtype in dtypes_of(march):
            print(march, name, dtype, file=sys.stderr, flush=True)
            try:
                made, example = converted(name, march, dtype, "float")
            except QflowError as error:
                yield f"| {name} | {dtype} | not converted: {error.diagnostics[0].message} | | | |\n"
                continue
            covered = made.coverage
            yield f"{row(name, dtype, covered)}{least_cosine(made, example):.6f} |\n"
            if dtype == dtypes_of(march)[0]:
                _note(left, name, covered.floats)
    yield from _left(left)


def _note(left: dict[tuple[str, str], Counter[str]], name: str, floats: tuple[Left, ...]) -> None:
    for each in floats:
        left.setdefault((each.op, each.why), Counter())[name] += 1


def _left(left: dict[tuple[str, str], Counter[str]]) -> Iterator[str]:
    if not left:
        yield "\nNothing stays float.\n"
        return
    yield "\n| stays float | why | where |\n|---|---|---|\n"
    for (op, why), names in sorted(left.items()):
        where = ", ".join(f"{name} ({count})" for name, count in names.items())
        yield f"| `{op}` | {why} | {where} |\n"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.emulation.coverage")
    arguments.add_argument("march", nargs="*", choices=[*MARCHES, []], help="all if none is named")
    given = arguments.parse_args().march
    logging.getLogger("qflow").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    write(PAGE, "".join(page(given or MARCHES)).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
