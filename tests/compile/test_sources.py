"""front reads program, lock, tables and file facts from its sources, and nothing from elsewhere."""

from pathlib import Path

from qflow.compile.front import front
from qflow.lang.sources import DISK, Overlay
from qflow.plan.code_parts import parts
from qflow.plan.lock import FileFact, Lock, digest, read, render

CASE = Path(__file__).parent.parent / "cases" / "compile" / "int8"


def test_a_whole_file_lives_in_an_overlay(tmp_path: Path) -> None:
    texts = {tmp_path / name: (CASE / name).read_text() for name in ("x.qf", "x.qf.lock")}
    found = front(tmp_path / "x.qf", {}, locked=True, sources=Overlay(DISK, texts))
    assert found.diagnostics == ()
    assert found.plan is not None
    assert list(tmp_path.iterdir()) == []


def test_file_facts_are_compared_with_the_sources(tmp_path: Path) -> None:
    lock = read(CASE / "x.qf.lock")
    facts = (
        FileFact("file", "m.py", digest(b"x = 1\n")),
        FileFact("weights", "w", digest(b"w"), 1),
    )
    texts = {
        tmp_path / "x.qf": (CASE / "x.qf").read_text(),
        tmp_path / "x.qf.lock": render(Lock(lock.inventory, facts)),
        tmp_path / "m.py": "x = 1\r\n",
        tmp_path / "w": "w",
    }
    path = tmp_path / "x.qf"
    assert front(path, {}, True, Overlay(DISK, texts)).diagnostics == ()
    changed = texts | {tmp_path / "m.py": "x = 2\n", tmp_path / "w": "ww"}
    codes = [d.code for d in front(path, {}, False, Overlay(DISK, changed)).diagnostics]
    assert codes == ["QF303", "QF303"]


def test_code_is_compared_per_class_and_function(tmp_path: Path) -> None:
    code = "class A:\n    x = 1\n\n\ndef f():\n    pass\n"
    told = parts(code.encode()).items()
    facts = tuple(FileFact("file", "m.py", found, part=name) for name, found in told)
    texts = {
        tmp_path / "x.qf": (CASE / "x.qf").read_text(),
        tmp_path / "x.qf.lock": render(Lock(read(CASE / "x.qf.lock").inventory, facts)),
    }

    def findings(changed: str) -> list[tuple[str, tuple[str, ...]]]:
        sources = Overlay(DISK, texts | {tmp_path / "m.py": changed})
        found = front(tmp_path / "x.qf", {}, True, sources).diagnostics
        return [(d.code, d.notes) for d in found]

    assert findings(code) == []
    assert findings(f"# a comment\n\n{code}") == []
    assert findings(code.replace("x = 1", "x = 2")) == [("QF303", ("what differs is `A`",))]
    more = f"{code}\n\nclass B:\n    pass\n"
    assert findings(more) == [("QF303", ("what differs is `B`",))]
    assert findings("class A:\n    x = 1\n") == [("QF303", ("what differs is `f`",))]
