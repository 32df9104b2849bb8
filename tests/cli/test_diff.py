"""diff: two files, two plans, a revision and the working tree; forms and exit codes."""

import json
from pathlib import Path

import pytest

from qflow.cli import main
from tests.cli.pipeline import copy_case, replace
from tests.repository import Repository

Output = pytest.CaptureFixture[str]
OLD, NEW = "default use w8a8", "default use w8a16"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed pipeline; the working tree is the same."""
    repository = Repository(tmp_path)
    copy_case("int8", tmp_path)
    repository.commit()
    monkeypatch.chdir(tmp_path)
    return Path("x.qf")


def test_the_same_is_0(path: Path, capsys: Output) -> None:
    assert main(["diff", "HEAD", "--", "x.qf"]) == 0
    assert capsys.readouterr().out == "x.qf: HEAD -> working tree: no difference\n"
    replace(path, OLD, f"{OLD}  # a comment")
    assert main(["diff", "x.qf"]) == 0
    assert main(["diff", "HEAD"]) == 0


def test_a_difference_is_1(path: Path, capsys: Output) -> None:
    replace(path, OLD, NEW)
    for words in (["HEAD", "x.qf"], ["x.qf"], ["HEAD"], ["main", "--", "x.qf"]):
        assert main(["diff", *words]) == 1
        out = capsys.readouterr().out
        assert "+   15 | default use w8a16\n" in out
        assert "act.dtype     int8 -> int16" in out
    assert main(["diff", "x.qf", "--no-exit-code"]) == 0


def test_two_files_and_two_plans(path: Path, capsys: Output) -> None:
    other = path.with_name("y.qf")
    other.write_text(path.read_text())
    other.with_name("y.qf.lock").write_text(Path("x.qf.lock").read_text())
    replace(other, OLD, NEW)
    assert main(["diff", "x.qf", "y.qf"]) == 1
    of_files = capsys.readouterr().out
    for name in ("x", "y"):
        assert main(["plan", f"{name}.qf", "--format", "json"]) == 0
        Path(f"{name}.json").write_text(capsys.readouterr().out)
    assert main(["diff", "x.json", "y.json"]) == 1
    of_plans = capsys.readouterr().out
    assert "y.qf: x.qf -> y.qf\n" in of_files
    assert "y.json: x.json -> y.json\n" in of_plans
    # a plan has the number of a line, not its text
    assert "-   15 | default use w8a8\n" in of_files
    assert "-   15\n" in of_plans or "   15 |\n" in of_plans
    assert of_files.split("\n\n")[-1] == of_plans.split("\n\n")[-1]


def test_json(path: Path, capsys: Output) -> None:
    replace(path, OLD, NEW)
    assert main(["diff", "HEAD", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["format_version"] == "1.0"
    (file,) = found["files"]
    assert (file["file"], file["same"], file["diagnostics"]) == ("x.qf", False, [])
    assert file["modules"]["changed"] > 0


def test_markdown(path: Path, capsys: Output) -> None:
    replace(path, OLD, NEW)
    assert main(["diff", "HEAD", "--format", "markdown"]) == 1
    assert capsys.readouterr().out.startswith("### `x.qf`: HEAD → working tree\n\n**")


def test_a_mistyped_rule_is_reported_with_what_it_leaves(path: Path, capsys: Output) -> None:
    replace(path, OLD, f'{NEW}\n  match "haed" use w8a8')
    assert main(["diff", "HEAD", "x.qf"]) == 2
    out = capsys.readouterr().out
    assert out.startswith("error[QF201]")
    assert "act.dtype     int8 -> int16" in out
    assert main(["diff", "HEAD", "x.qf", "--format", "json"]) == 2
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [d["code"] for d in file["diagnostics"]] == ["QF201"]


def test_a_file_without_a_plan_is_2(path: Path, capsys: Output) -> None:
    replace(path, OLD, "default use w8a9")
    assert main(["diff", "HEAD", "x.qf"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error[QF110]" in captured.err
    Path("x.qf.lock").unlink()
    replace(path, "default use w8a9", OLD)
    assert main(["diff", "HEAD", "x.qf"]) == 2
    assert "error[QF304]" in capsys.readouterr().err


def test_a_revision_without_a_plan_is_2(path: Path, capsys: Output) -> None:
    Repository(path.parent.absolute())
    good = path.read_text()
    replace(path, OLD, f'{OLD}\n  match "haed" use w8a8')
    Repository(path.parent.absolute()).commit()
    path.write_text(good)
    assert main(["diff", "HEAD", "x.qf"]) == 2
    captured = capsys.readouterr()
    assert "error[QF201]" in captured.err
    assert '"haed"' in captured.err


def test_files_that_are_new_or_gone(path: Path, capsys: Output) -> None:
    path.rename("z.qf")
    Path("x.qf.lock").rename("z.qf.lock")
    assert main(["diff", "HEAD"]) == 1
    out = capsys.readouterr().out
    assert "x.qf: HEAD -> working tree\n" in out
    assert "\n  - stem.conv" in out.replace("    - ", "  - ")
    assert "z.qf: HEAD -> working tree\n" in out
    assert main(["diff", "HEAD", "--", "nothing.qf"]) == 2
    assert "error[QF308]" in capsys.readouterr().err


def test_of_a_revision_alone_what_changed(path: Path, capsys: Output) -> None:
    copy_case("int16_nash", Path())  # into x.qf
    Path("other").mkdir()
    copy_case("int8", Path("other"))
    Repository(Path().absolute()).commit()
    assert main(["diff", "HEAD"]) == 0
    assert capsys.readouterr().out == "no pipeline differs from HEAD\n"
    replace(Path("other/x.qf"), OLD, NEW)
    assert main(["diff", "HEAD"]) == 1
    out = capsys.readouterr().out
    assert out.count("HEAD -> working tree") == 1
    assert out.startswith("other/x.qf: ")


def test_words_that_say_nothing(path: Path, capsys: Output) -> None:
    assert main(["diff", "nothing"]) == 2
    assert "error[QF307]" in capsys.readouterr().err
    assert main(["diff", "x.qf", "x.qf", "x.qf"]) == 2
    assert "error[QF308]" in capsys.readouterr().err
    assert main(["diff"]) == 2


def test_a_damaged_plan_is_2(path: Path, capsys: Output) -> None:
    Path("p.json").write_text('{"format_version": "9.0"}')
    assert main(["diff", "p.json", "x.qf"]) == 2
    assert "error[QF306]" in capsys.readouterr().err
    Path("p.json").write_text("{}")
    assert main(["diff", "p.json", "x.qf"]) == 2
    assert "error[QF305]" in capsys.readouterr().err


def test_a_stale_lock_is_told(path: Path, capsys: Output) -> None:
    replace(path, "float32[N, 1, 8, 8]", "float32[N, 1, 16, 16]")
    assert main(["diff", "HEAD", "x.qf"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("warning[QF301]")
    assert "input.image  float32[N, 1, 8, 8] -> float32[N, 1, 16, 16]" in out


def test_a_file_without_a_plan_does_not_hide_the_others(path: Path, capsys: Output) -> None:
    Path("other").mkdir()
    other = copy_case("int8", Path("other"))
    Repository(Path().absolute()).commit()
    replace(other, OLD, "default use w8a9")
    replace(path, OLD, NEW)
    assert main(["diff", "HEAD"]) == 2
    captured = capsys.readouterr()
    assert "error[QF110]" in captured.err
    assert "x.qf: HEAD -> working tree\n" in captured.out
    assert "act.dtype     int8 -> int16" in captured.out
    assert main(["diff", "HEAD", "--format", "json"]) == 2
    files = json.loads(capsys.readouterr().out)["files"]
    assert [(f["file"], f["same"]) for f in files] == [("other/x.qf", None), ("x.qf", False)]
    assert files[0]["diagnostics"][0]["code"] == "QF110"


def test_what_the_other_branch_got_meanwhile_is_no_difference(path: Path, capsys: Output) -> None:
    repository = Repository(Path().absolute())
    repository.git("checkout", "-qb", "topic")
    repository.git("checkout", "-q", "main")
    replace(path, OLD, NEW)
    repository.commit()
    repository.git("checkout", "-q", "topic")
    assert main(["diff", "main", "x.qf"]) == 1
    assert main(["diff", "main...", "x.qf"]) == 0
    assert "x.qf: main... -> working tree: no difference\n" in capsys.readouterr().out
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.commit("no child of the first, nor the same one made in the same second")
    assert main(["diff", "main...", "x.qf"]) == 2
    assert "error[QF307]" in capsys.readouterr().err


def test_an_import_that_changed_is_found(path: Path, capsys: Output) -> None:
    Path("common").mkdir()
    common = Path("common/npu.qf")
    common.write_text("qflow 1\n\nqconfig wide {\n  base = w8a8\n}\n")
    replace(path, "qflow 1\n", 'qflow 1\n\nuse "common/npu.qf" as npu\n')
    replace(path, OLD, "default use npu.wide")
    Repository(Path().absolute()).commit()
    replace(common, "base = w8a8", "base = w8a8\n  act.dtype = int16")
    assert main(["diff", "HEAD"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("x.qf: HEAD -> working tree\n")
    assert "act.dtype  int8 -> int16" in out
