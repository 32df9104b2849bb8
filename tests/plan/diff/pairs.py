"""Two versions of a pipeline's text, compared, for the tests of differences."""

from pathlib import Path

from qflow.compile.front import front
from qflow.lang.sources import DISK, Overlay
from qflow.plan.diff import Difference, Side, compare

ROOT = Path(__file__).parent.parent.parent.parent
MIXED = ROOT / "pipelines" / "digits_mixed.qf"
DIGITS = ROOT / "pipelines" / "digits.qf"


def edited(path: Path, *edits: tuple[str, str]) -> Difference:
    """What replacing some text of a file does."""
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return compare(side(path, path.read_text()), side(path, text))


def side(path: Path, text: str) -> Side:
    found = front(path, {}, sources=Overlay(DISK, {path: text}))
    assert found.plan is not None, found.diagnostics
    return Side("a version", found.plan, found.sources)
