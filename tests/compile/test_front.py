"""The front door: locks that are missing, damaged or stale, and files that changed since."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from qflow.compile import outline, traced
from qflow.compile.front import front, planned
from qflow.diagnostics import Diagnostic, QflowError
from qflow.lang import load
from qflow.plan.lock import FileFact, Lock, digest, read, render

CASE = Path(__file__).parent.parent / "cases" / "compile" / "int8"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("x.qf", "x.qf.lock"):
        shutil.copy(CASE / name, tmp_path)
    return tmp_path


def relock(folder: Path, **changes: object) -> None:
    lock = read(folder / "x.qf.lock")
    (folder / "x.qf.lock").write_text(render(replace(lock, **changes)))  # type: ignore[arg-type]


def findings(folder: Path, locked: bool = False) -> list[tuple[str, str]]:
    return [(d.code, d.severity) for d in front(folder / "x.qf", {}, locked).diagnostics]


def test_a_good_file_has_a_plan_and_no_findings(folder: Path) -> None:
    found = front(folder / "x.qf", {}, locked=True)
    assert found.diagnostics == ()
    assert found.plan is not None
    assert found.plan.path == "x.qf"


def test_no_lock_is_a_note_and_an_error_when_locked(folder: Path) -> None:
    (folder / "x.qf.lock").unlink()
    assert findings(folder) == [("QF304", "note")]
    assert findings(folder, locked=True) == [("QF304", "error")]


def test_without_a_lock_there_is_no_plan(folder: Path) -> None:
    (folder / "x.qf.lock").unlink()
    with pytest.raises(QflowError) as caught:
        planned(folder / "x.qf", {})
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.severity) == ("QF304", "error")
    assert finding.help.startswith("run `qflow lock ")


def test_without_a_lock_the_rest_is_still_checked(folder: Path) -> None:
    (folder / "x.qf.lock").unlink()
    text = (folder / "x.qf").read_text().replace('"nash-m"', '"nash-x"')
    (folder / "x.qf").write_text(text)
    assert findings(folder) == [("QF304", "note"), ("QF110", "error")]


def test_a_damaged_lock_is_located(folder: Path) -> None:
    lock = folder / "x.qf.lock"
    lock.write_text(lock.read_text().replace("module   pool", "modlue   pool", 1))
    (finding,) = front(folder / "x.qf", {}).diagnostics
    assert finding.code == "QF301"
    assert finding.at is not None
    assert lock.read_text().splitlines()[finding.at.line - 1].startswith("modlue")


def test_a_text_that_does_not_parse_has_no_program(folder: Path) -> None:
    (folder / "x.qf").write_text("qflow 1\nmodel net {\n")
    found = front(folder / "x.qf", {})
    assert found.program is None
    assert {d.severity for d in found.diagnostics} == {"error"}


def test_a_changed_source_file_is_a_warning_and_an_error_when_locked(folder: Path) -> None:
    (folder / "net.py").write_text("a = 1\n")
    relock(folder, files=(FileFact("file", "net.py", digest(b"a = 1\n")),))
    assert findings(folder) == []
    (folder / "net.py").write_bytes(b"a = 1\r\n")
    assert findings(folder) == []
    (folder / "net.py").write_text("a = 2\n")
    assert findings(folder) == [("QF303", "warning")]
    assert findings(folder, locked=True) == [("QF303", "error")]
    (folder / "net.py").unlink()
    assert findings(folder) == [("QF302", "warning")]


def test_weights_are_compared_but_may_be_elsewhere(folder: Path) -> None:
    relock(folder, files=(FileFact("weights", "net.bin", digest(b"1234"), 4),))
    assert findings(folder, locked=True) == [("QF302", "note")]
    (folder / "net.bin").write_bytes(b"1234")
    assert findings(folder) == []
    (folder / "net.bin").write_bytes(b"1235")
    assert findings(folder) == [("QF303", "warning")]
    (folder / "net.bin").write_bytes(b"12345")
    assert findings(folder) == [("QF303", "warning")]


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("nets:digits", "nets:others", "the lock is of `nets:digits`"),
        ("[N, 1, 8, 8]", "[N, 3, 8, 8]", "the inputs"),
        ("logits:", "boxes:", "the outputs"),
        ("logits: float32[N, 10]}", "logits: float32[N, 10]}\n  args = {width: 3}", "arguments"),
    ],
)
def test_a_model_block_the_lock_does_not_fit(folder: Path, old: str, new: str, note: str) -> None:
    said = outline(load(folder / "x.qf"), {})
    assert said.model is not None
    relock(folder, traced=traced(said.model, said.graph))
    assert findings(folder) == []
    text = (folder / "x.qf").read_text()
    (folder / "x.qf").write_text(text.replace(old, new))
    (finding,) = front(folder / "x.qf", {}).diagnostics
    assert (finding.code, finding.severity) == ("QF301", "warning")
    assert note in finding.notes[0]
    assert findings(folder, locked=True) == [("QF301", "error")]


def test_outline_needs_no_lock(folder: Path) -> None:
    said = outline(load(folder / "x.qf"), {})
    assert said.diagnostics == ()
    assert said.model is not None
    assert said.model.entry == "nets:digits"
    assert said.target is not None
    assert said.target.profile == "mul15"
    assert [d.name for d in said.data] == ["calib", "val"]


def test_the_lock_of_a_case_is_what_its_model_is(folder: Path) -> None:
    from tests.compile.models import of_entry

    assert read(folder / "x.qf.lock") == Lock(of_entry("nets:digits"))


def test_findings_are_diagnostics_with_places(folder: Path) -> None:
    text = (folder / "x.qf").read_text().replace("use w8a8", "use w8a9")
    (folder / "x.qf").write_text(text)
    (finding,) = front(folder / "x.qf", {}).diagnostics
    assert isinstance(finding, Diagnostic)
    assert finding.at is not None
    assert finding.at.path == (folder / "x.qf").as_posix()
