"""Text in, text out: tests/cases/yaml/NAME.yaml is reported as NAME.expected, to the letter.

QFLOW_UPDATE=1 writes them anew.
"""

import os
from pathlib import Path

import pytest

from qflow.diagnostics.renderers.text import Text
from qflow.lang import yaml

CASES = sorted((Path(__file__).parents[2] / "cases" / "yaml").glob("*.yaml"))
UPDATE = os.environ.get("QFLOW_UPDATE") == "1"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = yaml.parse(text, path.name)
    shown = Text().render(parsed.diagnostics, {path.name: text})
    expected = path.with_suffix(".expected")
    if UPDATE:
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")
    assert (parsed.file is None) == bool(shown)


def test_there_are_cases() -> None:
    assert len(CASES) > 15
