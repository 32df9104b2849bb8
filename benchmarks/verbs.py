"""verbs: what the everyday commands cost as whole processes, in CPU time, byte code compiled."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "pipelines" / "digits.qf"
ROUNDS = 9
EXPECTED = (0, 1)
"""Exit codes of a verb that did its work: yes and no."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one command, user and system, of every round."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.verbs")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    run(arguments.parse_args().rounds)


def run(rounds: int = ROUNDS) -> None:
    print(table(verbs(rounds)), end="\n\n")


def verbs(rounds: int, program: Path = PROGRAM) -> list[Cost]:
    """Every command in turns. The first round is not counted: it compiles byte code, and keeps what
    is kept between processes, in folders of their own that are gone afterwards.

    Raises RuntimeError when a verb fails: its time would mean nothing.
    """
    name = str(program)
    commands: dict[str, tuple[str, ...]] = {
        "python -c pass": ("-c", "pass"),
        "qflow --version": ("-m", "qflow", "--version"),
        "qflow fmt --check": ("-m", "qflow", "fmt", "--check", name),
        "qflow check": ("-m", "qflow", "check", name),
        "qflow plan": ("-m", "qflow", "plan", name),
        "qflow why": ("-m", "qflow", "why", name, "head"),
        "qflow diff": ("-m", "qflow", "diff", name, name),
    }
    seconds: dict[str, list[float]] = {label: [] for label in commands}
    with tempfile.TemporaryDirectory(prefix="qflow-verbs-") as folder:
        environment = {
            **os.environ,
            "XDG_CACHE_HOME": folder,
            "PYTHONPYCACHEPREFIX": folder,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        for turn in range(1 + rounds):
            for label, command in commands.items():
                spent = _process(command, environment)
                if turn:
                    seconds[label].append(spent)
    return [Cost(label, tuple(each)) for label, each in seconds.items()]


def _process(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """CPU seconds of a child and of its children."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment
    )
    after = os.times()
    if done.returncode not in EXPECTED:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def table(found: Sequence[Cost]) -> str:
    width = max(len(cost.name) for cost in found)
    lines = [f"verbs on {PROGRAM.name}, one process each, CPU seconds: median, least"]
    lines += [f"  {c.name:{width}}  {c.median_s:>5.2f}  {min(c.seconds):>5.2f}" for c in found]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
