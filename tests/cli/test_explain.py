"""explain: pages as text, JSON and Markdown, the list of ids, and ids there are none of."""

import json
import subprocess
import sys

import pytest

from qflow.cli import main
from qflow.diagnostics import explaining
from qflow.diagnostics.codes import CODES


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["explain", *arguments]) == code
    said = capsys.readouterr()
    return said.err if code else said.out


def test_a_page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = told(capsys, "QF210")
    first, empty, *lines = out.splitlines()
    assert (first, empty) == (f"QF210: {CODES['QF210']}", "")
    assert max(map(len, lines)) <= 60
    fail, mended = lines.index("Gives it:"), lines.index("Mended:")
    rules = ['  |   match "head" use w8a16', "  |   default      use w8a8"]
    assert lines[fail + 2 : fail + 4] == rules
    assert lines[mended + 2 : mended + 4] == rules[::-1]


@pytest.mark.parametrize("spelled", ["qf210", "210", "Qf210"])
def test_spellings(spelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, spelled) == told(capsys, "QF210")


def test_several_pages(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "QF101", "QF703")
    assert out == told(capsys, "QF101") + "\n" + told(capsys, "QF703")
    assert ", as `qflow check` reads it:" in out


def test_color_marks_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "QF101", "--color", "always")
    assert '\x1b[31mtarget board { march: "nash-m" }\x1b[0m' in out
    assert '\x1b[32mtarget board { march = "nash-m" }\x1b[0m' in out
    assert "\x1b" not in told(capsys, "QF101", "--color", "never")


def test_of_a_whole_file_what_differs_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from qflow.cli import _explained

    lines = [f"# {n}" for n in range(10)]
    blocks = [
        explaining.Block("qf", role, (), "\n".join(["qflow 1", *lines, last, "# end"]))
        for role, last in (("fail", "a: 1"), ("mended", "a = 1"))
    ]
    page = explaining.Page("QF101", "", "", tuple(blocks))
    shown = list(_explained.excerpt(blocks[0], page, _explained.plain))
    assert shown == ["...", "# 8", "# 9", "a: 1", "# end"]


def test_the_list_has_every_id_in_its_family(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys)
    assert all(f"  {code}  {title}\n" in out for code, title in CODES.items())
    assert out.index("syntax and names:") < out.index("QF101") < out.index("rules and graph:")
    table = told(capsys, "--format", "markdown")
    assert table.count("\n") == len(CODES) + 2


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(told(capsys, "QF210", "--format", "json"))
    assert data["format_version"] == "1.0"
    (found,) = data["ids"]
    assert (found["code"], found["family"]) == ("QF210", "rules and graph")
    assert [(b["kind"], b["role"]) for b in found["blocks"]] == [("qf", "fail"), ("qf", "mended")]
    every = json.loads(told(capsys, "--format", "json"))["ids"]
    assert [set(entry) for entry in every] == [{"code", "title", "family"}] * len(CODES)


def test_markdown_is_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "QF210", "--format", "markdown") == explaining.source("QF210")


def test_an_unknown_id_names_its_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    err = told(capsys, "QF211", code=2)
    assert "error[QF110]: there is no id `QF211`" in err
    assert "the nearest: `QF210`" in err
    assert "the nearest" not in told(capsys, "nothing", code=2)
    assert "QF110" in told(capsys, "9" * 5000, code=2)
    assert main(["explain", "QF211", "--format", "json"]) == 2
    assert "QF110" in capsys.readouterr().out


def test_without_torch() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "from qflow.cli import main\n"
        "sys.exit(main(['explain', 'QF210']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
