"""The guide on tables: its programs compile, and stand in their canonical form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.diagnostics import explaining
from qflow.diagnostics.renderers.text import Text
from qflow.lang.format import format_text
from qflow.plan.lock import Lock, lock_path, render
from tests.compile.models import of_entry
from tests.diagnostics.examples import whole

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guide" / "tables.md"
EXAMPLES = re.findall(r"^```qf\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
CACHE = """TRT-8601-EntropyCalibration2
image: 3c008081
stem.conv: 3cb8c67e
block.first.conv: 3ce05f03
block._generated_add_0: 3d1c77f0
average: 3d23e56d
"""


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cache").write_text(CACHE)
    Path("names.txt").write_text("quant image\n")
    path = Path("x.qf")
    path.write_text(whole(text, explaining.frame_of("qf")))
    lock_path(path).write_text(render(Lock(of_entry("nets:digits"))))
    found = front(path, {})
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert not errors, Text().render(errors, found.sources)
    assert format_text(f"qflow 1\n\n{text}", "x.qf") == f"qflow 1\n\n{text}"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3
