"""Imports: other sources than the disk, locks, limits, names that must not meet."""

from pathlib import Path

import pytest

from qflow.compile.front import front, planned
from qflow.compile.points import points
from qflow.diagnostics import QflowError
from qflow.lang import load
from qflow.lang.imports import MOST_CHARACTERS, MOST_FILES, imported
from qflow.lang.parse import parse
from qflow.lang.program import Program, program_of
from qflow.lang.sources import DISK, Overlay
from qflow.plan.lock import FileFact, Lock, digest, lock_path, render
from tests.compile.models import of_entry

MAIN = """qflow 1

use "lib/npu.qf" as npu

model net {
  entry  = "nets:digits"
  input  = {image: float32[N, 1, 8, 8]}
  output = {logits: float32[N, 10]}
}

target npu.board {}

data val { loader = "nets.data:validation" }

quantize { default use npu.body }

schedule {
  stage calibrate on npu.calib { state "**" = calibration }
  stage evaluate on val { state "**" = validation }
}
"""
LIBRARY = """qflow 1

param act: dtype = int8 in [int8, int16]

target board { march = "nash-m" }
data calib { loader = "nets.data:calibration"; source = "list.txt"; samples = 8 }
qconfig body { base = w8a8; act.dtype = act }
sweep both { act = [int8, int16] }
"""


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("x.qf")
    path.write_text(MAIN)
    Path("lib").mkdir()
    Path("lib/npu.qf").write_text(LIBRARY)
    lock_path(path).write_text(render(Lock(of_entry("nets:digits"))))
    return path


def program(text: str, path: str = "x.qf") -> Program:
    parsed = parse(text, path)
    assert parsed.file is not None
    return program_of(parsed.file)


def codes(path: Path, **more: object) -> list[str]:
    return [d.code for d in front(path, {}, **more).diagnostics]  # type: ignore[arg-type]


def test_an_overlay_takes_the_place_of_an_imported_file(main: Path) -> None:
    changed = Overlay(DISK, {Path("lib/npu.qf"): LIBRARY.replace("= int8 in", "= int16 in")})
    assert dict(front(main, {}).plan.params)["npu.act"] == "int8"  # type: ignore[union-attr]
    found = front(main, {}, sources=changed)
    assert found.plan is not None
    assert dict(found.plan.params)["npu.act"] == "int16"
    assert found.sources["lib/npu.qf"] != LIBRARY


def test_load_gives_the_same_program_and_raises_with_every_text(main: Path) -> None:
    assert load(main).imported == ("lib/npu.qf",)
    assert load(main) == front(main, {}).program
    Path("lib/npu.qf").write_text("qflow 1\n\nqconfig { }\n")
    with pytest.raises(QflowError) as caught:
        load(main)
    assert set(caught.value.sources) == {"x.qf", "lib/npu.qf"}


def test_plans_do_not_depend_on_the_folder_they_are_made_in(main: Path) -> None:
    here = front(main, {}).plan
    assert front(main.absolute(), {}).plan is not None
    assert here is not None
    there = front(main.absolute(), {}).plan
    assert there is not None
    assert here.hashes == there.hashes
    assert here.files == there.files == ("x.qf", "lib/npu.qf")


def test_paths_are_those_of_the_file_they_stand_in(main: Path) -> None:
    found = front(main, {}).program
    assert found is not None
    calib = next(d for d in found.data if d.name == "npu.calib")
    assert '"lib/list.txt"' in str(calib.fields[1].value).replace("'", '"')


def test_a_locked_check_wants_every_imported_file_in_the_lock(main: Path) -> None:
    assert "QF303" not in codes(main)
    assert "QF303" in codes(main, locked=True)
    fact = FileFact("file", "lib/npu.qf", digest(LIBRARY.encode()))
    lock_path(main).write_text(render(Lock(of_entry("nets:digits"), (fact,))))
    assert "QF303" not in codes(main, locked=True)
    Path("lib/npu.qf").write_text(LIBRARY.replace("\n", "\r\n"), newline="")
    assert "QF303" not in codes(main, locked=True)
    Path("lib/npu.qf").write_text(LIBRARY + "\nqconfig more { base = w8a8 }\n")
    assert "QF303" in codes(main)


def test_a_sweep_of_another_file_sweeps_its_params(main: Path) -> None:
    found = front(main, {}).program
    assert found is not None
    names = [p.name for p in points(found, "npu.both", {}, {})]
    assert names == ["npu.act=int8", "npu.act=int16"]


def test_imports_that_double_at_every_level_end(tmp_path: Path) -> None:
    for level in range(40):
        uses = "".join(f'use "f{level + 1}.qf" as {a}\n' for a in "ab")
        (tmp_path / f"f{level}.qf").write_text(f"qflow 1\n\n{uses}")
    (tmp_path / "f40.qf").write_text("qflow 1\n\nparam p: int = 1\n")
    path = tmp_path / "f0.qf"
    found = imported(program(path.read_text(), path.as_posix()))
    assert [d.code for d in found.diagnostics] == ["QF117"]
    assert str(MOST_FILES) in found.diagnostics[0].message


def test_a_long_chain_of_imports_is_followed_to_its_end(tmp_path: Path) -> None:
    for level in range(MOST_FILES):
        use = f'use "f{level + 1}.qf" as next'
        (tmp_path / f"f{level}.qf").write_text(f"qflow 1\n\n{use}\n")
    (tmp_path / f"f{MOST_FILES}.qf").write_text("qflow 1\n\nparam p: int = 1\n")
    path = tmp_path / "f0.qf"
    found = imported(program(path.read_text(), path.as_posix()))
    assert found.diagnostics == ()
    assert [p.name for p in found.program.params] == ["next." * MOST_FILES + "p"]


def test_imports_have_a_size_in_all(tmp_path: Path) -> None:
    (tmp_path / "big.qf").write_text("qflow 1\n# " + "x" * 100_000 + "\nparam p: int = 1\n")
    path = tmp_path / "x.qf"
    uses = "".join(f'use "big.qf" as a{n}\n' for n in range(MOST_CHARACTERS // 100_000 + 1))
    path.write_text(f"qflow 1\n\n{uses}")
    found = imported(program(path.read_text(), path.as_posix()))
    assert [d.code for d in found.diagnostics] == ["QF117"]


def test_one_file_under_two_names_is_two_sets_of_names(main: Path) -> None:
    main.write_text(MAIN.replace("as npu\n", 'as npu\nuse "lib/../lib/npu.qf" as again\n'))
    found = front(main, {"again.act": "int16"})
    assert found.plan is not None
    assert dict(found.plan.params) == {"npu.act": "int8", "again.act": "int16"}
    assert found.program is not None
    assert found.program.imported == ("lib/npu.qf",)


def test_a_cycle_over_another_spelling_of_the_path_is_a_cycle(main: Path) -> None:
    Path("lib/npu.qf").write_text(LIBRARY + '\nuse "../lib/../x.qf" as back\n')
    assert codes(main) == ["QF116"]


def test_names_of_a_file_that_cannot_be_read_are_not_missed_as_well(main: Path) -> None:
    Path("lib/npu.qf").unlink()
    assert codes(main) == ["QF302"]


def test_a_program_without_use_is_left_as_it_is() -> None:
    plain = program("qflow 1\n\nqconfig a.b { base = w8a8 }\n")
    assert imported(plain).program is plain


def test_a_file_of_names_is_checked_and_has_no_plan(main: Path) -> None:
    assert codes(Path("lib/npu.qf"), locked=True) == []
    with pytest.raises(QflowError) as caught:
        planned(Path("lib/npu.qf"), {})
    assert {d.code for d in caught.value.diagnostics} == {"QF115"}
    assert len(caught.value.diagnostics) == 3
