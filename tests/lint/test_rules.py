"""Every lint rule is named by an id, documented, and has a case."""

from pathlib import Path

import pytest

from qflow import lint, registry
from qflow.diagnostics.codes import CODES
from tests.compile.models import of_entry
from tests.lint.pitfalls.by import file
from tests.lint.pitfalls.p24 import FILE

CASES = Path(__file__).parent.parent / "cases" / "lint"


# the pitfalls, which are about models and scripts as well, have cases of their own
ABOUT_FILES = [n for n in lint.names() if not n.startswith("qf7")]


@pytest.mark.parametrize("name", ABOUT_FILES)
def test_every_rule(name: str) -> None:
    assert name.upper() in CODES
    rule = registry.load("lint", name)
    assert "Best practice" in rule.__doc__
    said = [p for p in CASES.glob("*/x.expected") if f"[{name.upper()}]" in p.read_text()]
    assert said


def test_a_clean_file_has_no_finding() -> None:
    assert not (CASES / "nothing_to_say" / "x.expected").exists()


def test_models_of_a_lock_are_looked_at_and_one_cause_is_said_once() -> None:
    def codes(entry: str, outputs: str) -> set[str]:
        text = FILE.replace("nets:plain", entry).replace("{logits: float32[N, 4]}", outputs)
        return {d.code for d in file(text.replace("BATCH", "1"), of_entry(entry))}

    permuted = codes("nets:permuted", "{logits: float32[N, 4]}")
    assert "QF505" in permuted
    assert "QF701" not in permuted
    heads = codes("nets:two_heads", "{logits: float32[N, 4], sum: float32[N, 4]}")
    assert "QF718" in heads
