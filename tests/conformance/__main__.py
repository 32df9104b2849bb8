"""Writes docs/reference/conformance.md: `python -m tests.conformance`."""

from __future__ import annotations

from pathlib import Path

from qflow.atomic import write
from tests.conformance.table import collect, markdown

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "conformance.md"
HEAD = """# Conformance

Each row compares a rounding profile, its oracle and its fast path alike, with a runtime that nobody
here wrote, on single operators. Most of the accumulators lie next to a tie, or on one because every
scale is a power of two: uniform random ones would agree to 99 % whatever the rule. Written by
`python -m tests.conformance`; `make test` runs the same checks.

"""


def main() -> None:
    table = markdown(collect())
    write(PAGE, HEAD + table)
    print(table)


if __name__ == "__main__":
    main()
