"""Every benchmark, one table after the other: `make bench`."""

from __future__ import annotations

import argparse

from benchmarks import calibration, compile, fake_quant, growth, integer_forward, memory, verbs

QUICK_ROUNDS = 1
QUICK_BATCH = 1
QUICK_SIZES = (100, 1_000)
QUICK_RULES = ((100, 20), (1_000, 20))


def main() -> None:
    """All of them; `--quick` once and small, to see that they work."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks")
    arguments.add_argument("--quick", action="store_true", help="one round: its times mean nothing")
    if arguments.parse_args().quick:
        quick()
        return
    verbs.run()
    compile.run()
    integer_forward.run()
    fake_quant.run()
    calibration.run()
    growth.run()
    memory.run()


def quick() -> None:
    verbs.run(QUICK_ROUNDS)
    compile.run(QUICK_RULES, QUICK_ROUNDS)
    integer_forward.run(QUICK_ROUNDS, (QUICK_BATCH,))
    fake_quant.run(QUICK_ROUNDS, QUICK_BATCH)
    calibration.run(QUICK_ROUNDS, QUICK_BATCH)
    growth.run(QUICK_SIZES)
    memory.run(QUICK_BATCH)


if __name__ == "__main__":
    main()
