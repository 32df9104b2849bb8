"""verbs: what the everyday commands cost as whole processes, against a Python that does nothing."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pairs import Lane, Work, measure, table

BASE = "python -c pass"
PROGRAM = Path(__file__).parents[1] / "pipelines" / "digits.qf"
ROUNDS = 9
EXPECTED = (0, 1)
"""Exit codes of a verb that did its work: yes and no."""


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.verbs")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    run(arguments.parse_args().rounds)


def run(rounds: int = ROUNDS) -> None:
    print(table(f"verbs on {PROGRAM.name}, one process each", verbs(rounds), BASE), end="\n\n")


def verbs(rounds: int, program: Path = PROGRAM) -> list[Lane]:
    """Raises RuntimeError when a verb fails: its time would mean nothing."""
    name = str(program)
    commands: dict[str, tuple[str, ...]] = {
        "qflow --version": ("-m", "qflow", "--version"),
        "qflow fmt --check": ("-m", "qflow", "fmt", "--check", name),
        "qflow check": ("-m", "qflow", "check", name),
        "qflow plan": ("-m", "qflow", "plan", name),
        "qflow why": ("-m", "qflow", "why", name, "head"),
    }
    lanes: dict[str, Work] = {BASE: _process(("-c", "pass"))}
    lanes |= {label: _process(command) for label, command in commands.items()}
    return measure(lanes, BASE, rounds, warm=1)


def _process(command: Sequence[str]) -> Work:
    def run() -> None:
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
        if done.returncode not in EXPECTED:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")

    return run


if __name__ == "__main__":
    main()
