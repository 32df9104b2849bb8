"""`python -m tests.emulation.sophgo DIRECTORY [FAMILY...]`: the table for a directory of vectors."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.emulation.sophgo.table import compared, rows, text


def main(arguments: list[str]) -> int:
    """0 where nothing differs, 1 where something does, 2 where it was called wrongly."""
    if not arguments:
        print(__doc__)
        return 2
    results = list(compared(Path(arguments[0]), arguments[1:]))
    found = rows(results)
    print(text(found))
    for _, result in results:
        for note in result.notes:
            print(note)
    return int(any(r.different for r in found))


sys.exit(main(sys.argv[1:]))
