"""Comments that allow a finding: where they hold, what is said about those that do not."""

from pathlib import Path

import pytest

from qflow.diagnostics import Diagnostic
from qflow.lang.sources import DISK, Overlay
from qflow.lint.findings import Findings, findings
from tests.cli.pipeline import copy_case


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline whose second and third rules say the same: QF205 and nothing else."""
    copy_case("int8", tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path("x.qf")


TWICE = '  match "stem.**" patch { act.observer = mse }\n'


def checked(path: Path, second: str, first: str = TWICE, top: str = "", **more: str) -> Findings:
    """The findings of the pipeline with two rules more."""
    text = DISK.text(path)
    default = "  default use w8a8\n"
    assert default in text
    text = top + text.replace(default, default + first + second)
    return findings(path, more, sources=Overlay(DISK, {path: text}))


def codes(found: Findings) -> list[str]:
    return [d.code for d in found.diagnostics]


def the(found: Findings, code: str) -> Diagnostic:
    (one,) = (d for d in found.diagnostics if d.code == code)
    return one


def test_without_a_comment(path: Path) -> None:
    found = checked(path, TWICE.replace("mse", "min_max"))
    assert "QF205" in codes(found)
    assert found.allowed == ()


SECOND = '  match "stem.**" patch { act.observer = min_max }'


@pytest.mark.parametrize(
    "rule",
    [
        f"{SECOND}  # qf: allow QF205 two authors, two lines\n",
        f"  # qf: allow QF205 two authors, two lines\n{SECOND}\n",
        f"  # qf: allow QF205 two authors, two lines\n\n  # another comment\n{SECOND}\n",
        f"  # qf: allow-file QF205 two authors, two lines\n{SECOND}\n",
        f"{SECOND}\n  # qf: allow-file QF205: two authors, two lines\n",
        f"{SECOND}  #qf:allow qf205 - two authors, two lines\n",
    ],
)
def test_on_the_line_above_it_and_for_the_file(path: Path, rule: str) -> None:
    found = checked(path, rule)
    assert "QF205" not in codes(found)
    assert [(d.code, d.allowed) for d in found.allowed] == [("QF205", "two authors, two lines")]
    assert not [c for c in codes(found) if c.startswith("QF19")]


def test_on_another_line_it_does_not_hold_and_is_said_to_be_idle(path: Path) -> None:
    comment = "  # qf: allow QF205 two authors\n"
    found = checked(path, f"{SECOND}\n", first=comment + TWICE)
    assert {"QF190", "QF205"} <= set(codes(found))
    assert the(found, "QF190").at.line == the(found, "QF205").at.line - 2


def test_a_comment_inside_a_string_is_none(path: Path) -> None:
    found = checked(path, '  match "stem.conv # qf: allow QF205 x" optional use w8a8\n', first="")
    assert not [c for c in codes(found) if c.startswith("QF19")]


def test_an_allow_that_nothing_needs(path: Path) -> None:
    found = checked(path, "  # qf: allow QF205, QF203 it was so\n", first=f"{SECOND}\n")
    idle = [d for d in found.diagnostics if d.code == "QF190"]
    assert [d.about for d in idle] == ["QF205", "QF203"]
    assert all(d.help == "delete the comment" and d.edits for d in idle)


def test_one_of_two_ids_is_idle(path: Path) -> None:
    found = checked(path, f"{SECOND}  # qf: allow QF205, QF207 two authors\n")
    idle = the(found, "QF190")
    assert idle.about == "QF207"
    assert idle.help == "delete `QF207`"
    assert [e.text for e in idle.edits] == ["# qf: allow QF205 two authors"]


def test_a_second_allow_of_the_same_is_idle(path: Path) -> None:
    found = checked(path, f"  # qf: allow-file QF205 all\n{SECOND}  # qf: allow QF205 here\n")
    assert [d.allowed for d in found.allowed] == ["here"]
    assert "`# qf" not in the(found, "QF190").message
    assert "this file" in the(found, "QF190").message


def test_without_a_reason_it_does_not_hold(path: Path) -> None:
    for reason in ("", " .", " - x"):
        found = checked(path, f"{SECOND}  # qf: allow QF205{reason}\n")
        assert {"QF191", "QF205"} <= set(codes(found))
        assert "QF190" not in codes(found)


def test_an_id_that_does_not_exist(path: Path) -> None:
    found = checked(path, f"{SECOND}  # qf: allow QF205, QF2005 two authors\n")
    assert "QF205" not in codes(found)
    unknown = the(found, "QF193")
    assert unknown.at.end_column - unknown.at.column == len("QF2005")
    assert "QF205" in unknown.notes[0]


@pytest.mark.parametrize("said", ["alow QF205 why not", "allow because", "allow", "off", ""])
def test_a_comment_that_says_nothing_known(path: Path, said: str) -> None:
    assert "QF194" in codes(checked(path, f"# qf: {said}\n", first=""))


@pytest.mark.parametrize("said", ["qflow is here", "about qf: files", "see x.qf: it is so"])
def test_other_comments_are_left_alone(path: Path, said: str) -> None:
    assert codes(checked(path, f"  # {said}\n", first="")) == []


def test_errors_are_not_allowed(path: Path) -> None:
    found = checked(path, '  match "no" use w8a8  # qf: allow QF201 other models have it\n', "")
    assert codes(found) == ["QF201", "QF192"]
    assert "allow" in the(found, "QF192").message
    assert found.allowed == ()


def test_what_cannot_be_known_is_not_called_idle(path: Path) -> None:
    allow = "  # qf: allow QF205 two authors\n"
    broken = checked(path, f'{allow}{SECOND}\n  match "no" use w8a8\n', first="")
    assert codes(broken) == ["QF201"]
    unlocked = path.with_name("x.qf.lock")
    unlocked.unlink()
    assert codes(checked(path, f"{allow}{SECOND}\n", first="")) == ["QF304"]


def test_with_other_values_of_params_nothing_is_called_idle(path: Path) -> None:
    text = DISK.text(path) + "\nparam p: int = 1 in 0..3\n# qf: allow-file QF205 p may be 2\n"
    sources = Overlay(DISK, {path: text})
    assert codes(findings(path, {}, sources=sources)) == ["QF190"]
    assert codes(findings(path, {"p": "2"}, sources=sources)) == []


def test_what_has_no_line_is_allowed_for_the_file(path: Path) -> None:
    path.with_name("x.qf.lock").unlink()
    found = checked(path, "", "", top="# qf: allow-file QF304 the lock is made on the server\n")
    assert codes(found) == []
    assert [d.code for d in found.allowed] == ["QF304"]


def test_in_an_imported_file(path: Path) -> None:
    """What is found there is allowed there; whether an allow is needed others may know."""
    shared = Path("shared.qf")
    rules = f"rules stems {{\n{TWICE}{SECOND}\n}}\n"
    main = DISK.text(path).replace("qflow 1\n", 'qflow 1\n\nuse "shared.qf" as s\n', 1)
    main = main.replace("  default use w8a8\n", "  default use w8a8\n  apply s.stems\n")

    def found(imported: str) -> Findings:
        texts = {path: main, shared: f"qflow 1\n\n{imported}"}
        return findings(path, {}, sources=Overlay(DISK, texts))

    assert "QF205" in codes(found(rules))
    allow = "  # qf: allow QF205 two authors"
    allowed = found(rules.replace(SECOND, SECOND + allow))
    assert [d.code for d in allowed.allowed] == ["QF205"]
    idle = found(rules.replace(SECOND, "").replace("}\n}", "}" + allow + "\n}"))
    assert not [c for c in codes(idle) if c.startswith("QF19")]
    assert "QF191" in codes(found(rules.replace(SECOND, SECOND + "  # qf: allow QF205")))


def test_in_a_python_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = Path("train.py")
    script.write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        '        note = "# qf: allow QF712 in a string"\n'
        "        if self.training:\n"
        "            return x\n"
        "        return self.dequant(self.quant(x))\n"
    )
    before = findings(script, {})
    line = next(d.at.line for d in before.diagnostics if d.code == "QF712")
    rows = script.read_text().split("\n")
    rows[line - 1] += "  # qf: allow QF712 the branch is for us"
    script.write_text("\n".join(rows))
    after = findings(script, {})
    assert [d.code for d in after.allowed] == ["QF712"]
    assert len(after.diagnostics) == len(before.diagnostics) - 1
