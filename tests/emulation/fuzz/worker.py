"""The process that judges changed files: one line before each, so that a crash names its file."""

from __future__ import annotations

import pickle
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from types import FrameType

import torch

from tests.emulation.fuzz.mutations import mutate
from tests.emulation.fuzz.verdict import judge

MEMORY = 6 << 30
SECONDS = 20


class TooLong(Exception):
    """A file took longer than any of these small graphs may."""


def case_of(corpus: list[tuple[str, bytes]], seed: int) -> tuple[str, bytes]:
    """The changed file of a seed, and the name of what it was made from."""
    random = Random(seed)
    name, data = random.choice(corpus)
    _, other = random.choice(corpus)
    return name, mutate(data, other, random)


def main(folder: Path, first: int, last: int) -> None:
    corpus = pickle.loads((folder / "corpus.pickle").read_bytes())
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    for seed in range(first, last):
        print("case", seed, flush=True)
        name, data = case_of(corpus, seed)
        started = time.monotonic()
        signal.alarm(SECONDS)
        try:
            verdict = judge(data, folder / "case.qnn", seed)
        except Exception:  # whatever it is, it is what we look for
            text = traceback.format_exc().replace("\n", "\\n")
            print("wrong", seed, name, "|", text, flush=True)
            (folder / f"{seed}.qnn").write_bytes(data)
            continue
        finally:
            signal.alarm(0)
        print("done", f"{time.monotonic() - started:.2f}", verdict, flush=True)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
