"""Many changed files: `python -m tests.emulation.fuzz [COUNT] [SEED] [--small] [--keep FOLDER]`."""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.emulation.fuzz.corpus import Make, as_bytes, makers, networks

COUNT = 10_000


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.emulation.fuzz")
    arguments.add_argument("count", type=int, nargs="?", default=COUNT)
    arguments.add_argument("seed", type=int, nargs="?", default=0)
    arguments.add_argument("--small", action="store_true", help="without the traced networks")
    arguments.add_argument("--keep", type=Path, help="a folder for the corpus and what is found")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = given.keep or Path(made)
        folder.mkdir(exist_ok=True)
        if not (folder / "corpus.pickle").exists():
            pairs = [*makers(), *(() if given.small else networks())]
            (folder / "corpus.pickle").write_bytes(pickle.dumps(built(pairs, folder)))
        return fuzz(folder, given.seed, given.seed + given.count)


def built(pairs: Iterable[tuple[str, Make]], folder: Path) -> list[tuple[str, bytes]]:
    found = [(name, data) for name, make in pairs if (data := as_bytes(make, folder)) is not None]
    print(f"{len(found)} whole files", flush=True)
    return found


def fuzz(folder: Path, first: int, last: int) -> int:
    """Runs the cases in processes of their own; a process that dies is started behind its case."""
    verdicts: Counter[str] = Counter()
    slowest = 0.0
    while first < last:
        worker = [sys.executable, "-m", "tests.emulation.fuzz.worker", str(folder)]
        process = subprocess.Popen(
            [*worker, str(first), str(last)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "case":
                first = int(rest) + 1
            elif word == "wrong":
                verdicts["wrong"] += 1
                print(rest.replace("\\n", "\n"), flush=True)
            elif word == "done":
                took, _, verdict = rest.partition(" ")
                slowest = max(slowest, float(took))
                verdicts[verdict] += 1
        if process.wait() != 0:
            verdicts["died"] += 1
            print(f"{first - 1} ends its process with {process.returncode}", flush=True)
    print(f"{dict(verdicts)}, the slowest took {slowest:.1f} s")
    return int(bool(verdicts["wrong"] or verdicts["died"]))


if __name__ == "__main__":
    sys.exit(main())
