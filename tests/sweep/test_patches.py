"""Patches of best points: applied by git and by patch, they make the file the point's program."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qflow import compile as compiler
from qflow.cli import main
from qflow.compile.front import front
from qflow.diagnostics import Diagnostic
from qflow.lang.yaml import show as as_yaml
from qflow.plan.lock import FileFact, Lock, digest, lock_path, read, render
from qflow.plan.text import render as plan_text
from qflow.sweep.results.patches import Patch, patches
from qflow.sweep.results.unified import unified
from tests.compile.models import of_entry
from tests.repository import Repository
from tests.sweep.points import point

TEXT = """\
# What we ship.
qflow 1

param bits:  dtype    = int8 in [int8, int16]  # of activations
param count: int      = 64   in 1..4096
param rate:  float    = 0.5
param name:  string   = "nash-m"
param seen:  observer = min_max
param per:   bool     = true
param base:  qconfig  = w8a8

model net {
  entry  = "nets:digits"
  input  = {image: float32[N, 1, 8, 8]}
  output = {logits: float32[N, 10]}
}

target board { march = name }

data calib { loader = "nets.data:calibration"; samples = count; args = {rate: rate, per: per} }
data val   { loader = "nets.data:validation"; metric = accuracy }

quantize {
  default         use base with { act.dtype = bits }
  match "stem.**" patch { act.observer = seen }
}

schedule {
  stage calibrate on calib { state "**" = calibration }
  stage evaluate on val    { state "**" = validation }
}

sweep grid { bits = [int8, int16]; rate = [1e-3, 2] }
"""
IMPORTS = Path(__file__).parent.parent / "cases" / "compile" / "imports"
POINTS = [
    "bits=int16,count=128",
    "rate=0.001,per=false",
    "name=generic,seen=mse,base=w8a16",
]

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """A function that writes a program with its lock into a folder of a git repository."""
    monkeypatch.chdir(tmp_path)

    def write(text: str = TEXT, name: str = "net.qf") -> Path:
        path = Path("pipelines") / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
        lock_path(path).write_text(render(Lock(of_entry("nets:digits"))))
        return path

    return write


def values(name: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in name.split(","))


def patch(path: Path, name: str, /, **settings: str) -> Patch:
    """The one patch there is."""
    (found,) = patches(path, [point(name, 0.5)], settings)
    assert isinstance(found, Patch), found
    return found


def refused(path: Path, name: str, /, **settings: str) -> Diagnostic:
    (found,) = patches(path, [point(name, 0.5)], settings)
    assert isinstance(found, Diagnostic)
    assert (found.code, found.severity) == ("QF329", "note")
    return found


def plan(path: Path, /, **settings: str) -> str:
    found = front(path, settings)
    assert found.plan is not None, found.diagnostics
    return plan_text(found.plan)


def apply(found: Patch, folder: Path, *command: str) -> None:
    (folder / "it.patch").write_bytes(found.text.encode())
    subprocess.run([*command, "it.patch"], cwd=folder, check=True, capture_output=True)
    (folder / "it.patch").unlink()


def formatted(path: Path) -> bool:
    return main(["fmt", "--check", str(path)]) == 0


@pytest.mark.parametrize("name", POINTS)
def test_the_patched_file_is_the_point(written: Written, name: str) -> None:
    path = written()
    wanted = plan(path, **values(name))
    apply(patch(path, name), path.parent, "git", "apply")
    assert plan(path) == wanted
    assert formatted(path)
    assert "# of activations" in path.read_text()


def test_it_applies_in_a_repository_and_changes_nothing_else(written: Written) -> None:
    path = written()
    repository = Repository(Path().absolute())
    repository.commit()
    apply(patch(path, "bits=int16", count="128"), path.parent, "git", "apply")
    assert repository.git("diff", "--stat").splitlines()[-1].split(",")[0] == " 1 file changed"
    before, after = TEXT.splitlines(), path.read_text().splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [b.split("=")[0].split(":")[0] for _, b in changed] == ["param bits", "param count"]


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no `patch`")
def test_it_applies_with_patch(written: Written) -> None:
    path = written()
    wanted = plan(path, bits="int16")
    apply(patch(path, "bits=int16"), path.parent, "patch", "-p1", "-i")
    assert plan(path) == wanted


def test_values_are_written_as_the_sweep_has_them(written: Written) -> None:
    assert "= 1e-3" in patch(written(), "rate=0.001").text
    assert "= 0.25" in patch(written(), "rate=0.25").text


@pytest.mark.parametrize("last", ["\r\n", ""])
def test_line_ends_and_what_is_not_canonical_stay(written: Written, last: str) -> None:
    text = TEXT.replace("bits:  dtype    = int8", "bits: dtype=int8").rstrip().replace("\n", "\r\n")
    path = written(text + last)
    wanted = plan(path, bits="int16")
    apply(patch(path, "bits=int16"), path.parent, "git", "apply")
    assert path.read_bytes().decode() == text.replace("=int8", "=int16") + last
    assert plan(path) == wanted


def test_a_canonical_file_with_other_line_ends_stays_so(written: Written) -> None:
    path = written(TEXT.replace("\n", "\r\n"))
    apply(patch(path, "bits=int16"), path.parent, "git", "apply")
    assert path.read_bytes().count(b"\r\n") == TEXT.count("\n")
    assert formatted(path)


def test_a_yaml_program(written: Written) -> None:
    program = front(written(), {}).program
    assert program is not None
    path = written(as_yaml(program), "net.yaml")
    wanted = plan(path, bits="int16", rate="0.001", name="generic")
    apply(patch(path, "bits=int16,rate=0.001", name="generic"), path.parent, "git", "apply")
    assert plan(path) == wanted
    assert formatted(path)


def test_what_is_the_default_already_is_left_alone(written: Written) -> None:
    path = written()
    assert patch(path, "bits=int8,rate=0.5,count=64").text == ""
    assert "param rate" not in patch(path, "bits=int16,rate=0.5").text.replace(" param rate", "")


def test_a_param_of_an_imported_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock knows that file by its digest, so that it is patched as well."""
    shutil.copytree(IMPORTS, tmp_path / "p")
    monkeypatch.chdir(tmp_path)
    path, part = Path("p/x.qf"), Path("p/common/npu.qf")
    known = FileFact("file", "common/npu.qf", digest(part.read_bytes()))
    lock_path(path).write_text(render(Lock(of_entry("nets:digits"), (known,))))
    found = patch(path, "npu.bits=int16,npu.table=common/other.json")
    assert re.findall(r"(?m)^--- a/(\S*)", found.text) == ["common/npu.qf", "x.qf.lock"]
    assert '= "other.json"' in found.text
    assert not found.stale
    wanted = plan(path, **values("npu.bits=int16,npu.table=common/other.json"))
    apply(found, path.parent, "git", "apply")
    assert plan(path) == wanted
    assert read(lock_path(path)).files == (replace(known, digest=digest(part.read_bytes())),)


def test_a_lock_that_no_longer_fits_is_said(written: Written) -> None:
    path = written(TEXT.replace('"nets:digits"', '"nets:digits"\n  args   = {n: count}'))
    traced = front(path, {})
    assert traced.unit is not None
    assert traced.unit.model is not None
    lock = Lock(of_entry("nets:digits"), (), compiler.traced(traced.unit.model, traced.unit.graph))
    lock_path(path).write_text(render(lock))
    assert not patch(path, "bits=int16").stale
    found = patch(path, "count=8")
    assert found.stale
    assert "then run: qflow lock net.qf" in found.text


def test_a_file_outside_of_the_folder(written: Written) -> None:
    path = written('qflow 1\nuse "../common.qf" as c\n' + TEXT.split("\n", 2)[2])
    Path("common.qf").write_text("qflow 1\n\nparam top: int = 4\n")
    found = refused(path, "c.top=8,bits=int16")
    assert "`../common.qf` lies outside" in found.message
    assert found.help.endswith("`qflow run pipelines/net.qf --set c.top=8 --set bits=int16`")


def test_a_program_that_has_no_lock(written: Written) -> None:
    path = written()
    wanted = plan(path, bits="int16")
    lock = lock_path(path).read_text()
    lock_path(path).unlink()
    apply(patch(path, "bits=int16"), path.parent, "git", "apply")
    lock_path(path).write_text(lock)
    assert plan(path) == wanted


def test_a_file_that_was_changed_meanwhile(written: Written) -> None:
    path = written()
    path.write_text(TEXT.replace("param bits:", "param width:").replace("= bits", "= width"))
    assert "`bits` is no param of the file" in refused(path, "bits=int16").message
    path.write_text(TEXT.replace("[int8, int16]  #", "[int8]  #"))
    assert "outside the domain" in refused(path, "bits=int16").message
    path.write_text("qflow")
    assert "cannot be read" in refused(path, "bits=int16").message
    path.unlink()
    assert "there is no file" in refused(path, "bits=int16").message


def test_a_value_that_would_be_text_of_a_patch(written: Written) -> None:
    path = written(TEXT.replace('"nash-m"', '"nash-m"\nparam note: string = "a"\n', 1))
    apply(patch(path, 'note="x\\"', bits="int16"), path.parent, "git", "apply")
    assert dict(front(path, {}).plan.params)["note"] == "x\\"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["a file.qf", 'a"b.qf', "ä.qf", "a\tb.qf", "plain.qf"])
def test_names_that_git_reads(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("one\ntwo\n")
    (tmp_path / "it.patch").write_text(unified("one\ntwo\n", "one\n2", name))
    subprocess.run(["git", "apply", "it.patch"], cwd=tmp_path, check=True)
    assert (tmp_path / name).read_text() == "one\n2"


def test_equal_texts_have_no_difference() -> None:
    assert unified("a\n", "a\n", "x") == ""
