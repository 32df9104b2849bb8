"""The manual of the language: every example compiles without an error, in its canonical form."""

import re
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.diagnostics import explaining
from qflow.diagnostics.renderers.text import Text
from qflow.lang.format import format_text
from qflow.lang.grammar import parser
from qflow.plan.lock import Lock, lock_path, render
from tests.compile.models import of_entry
from tests.diagnostics.examples import whole

MANUAL = Path(__file__).parent.parent / "docs" / "reference" / "language.md"
BLOCK = re.compile(r"^```(qf|file)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTS = BLOCK.findall(MANUAL.read_text(encoding="utf-8"))
FILES = {name: text for kind, name, text in PARTS if kind == "file"}
EXAMPLES = [text for kind, _, text in PARTS if kind == "qf"]
PROGRAMS = [*EXAMPLES, *(text for name, text in FILES.items() if name.endswith(".qf"))]
LOCK = render(Lock(of_entry("nets:digits")))


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: " ".join(text.split()[:2]))
def test_example(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, other in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(other)
    path = Path("x.qf")
    path.write_text(whole(text, explaining.frame_of("qf")))
    lock_path(path).write_text(LOCK)
    found = front(path, {})
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert not errors, Text().render(errors, found.sources)


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
def test_examples_are_canonical(text: str) -> None:
    edition = "" if text.startswith("qflow ") else "qflow 1\n\n"
    assert format_text(edition + text, "x.qf") == edition + text


def test_every_keyword_of_the_grammar_is_in_the_manual() -> None:
    words = {t.pattern.value for t in parser().terminals if t.pattern.value.isalpha()}
    told = "".join(text for _, _, text in PARTS) + MANUAL.read_text(encoding="utf-8")
    missing = {word for word in words if not re.search(rf"\b{word}\b", told)}
    assert not missing


def test_every_item_has_an_example() -> None:
    used = "\n".join(EXAMPLES)
    for word in (
        *("use", "param", "model", "target", "data", "qconfig", "sensitivity", "graph"),
        *("rules", "quantize", "schedule", "check", "export", "sweep"),
    ):
        assert re.search(rf"^{word}\b", used, re.MULTILINE), word
