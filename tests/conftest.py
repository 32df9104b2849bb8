"""No test leaves the reports of `prepare` in the folder the tests were started in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REPORTS = ("fx_graph.txt", "model_check_result.txt", "qconfig_changelogs.txt")


@pytest.fixture(autouse=True)
def no_report_is_left_behind() -> Iterator[None]:
    before = _reports()
    yield
    left = _reports() - before
    for path in left:
        path.unlink()
    assert not left, f"{', '.join(sorted(p.name for p in left))} was left here: chdir to tmp_path"


def _reports() -> set[Path]:
    return {path for name in REPORTS if (path := ROOT / name).exists()}
