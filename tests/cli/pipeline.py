"""A pipeline on disk for the tests of verbs that need no torch."""

import shutil
from pathlib import Path

CASES = Path(__file__).parent.parent / "cases" / "compile"


def copy_case(name: str, folder: Path) -> Path:
    """A case of the compiler, as `x.qf` with its lock in a folder of its own."""
    for file in ("x.qf", "x.qf.lock"):
        shutil.copy(CASES / name / file, folder)
    return folder / "x.qf"


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
