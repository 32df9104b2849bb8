"""A plan depends on the file and its lock alone: not on where they lie, who asks, or the hash seed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.plan.json import dumps
from qflow.plan.text import render

CASE = Path(__file__).parent.parent / "cases" / "compile" / "finetune"
SCRIPT = (
    "import sys; from pathlib import Path; from qflow.compile.front import front;"
    "from qflow.plan.text import render; from qflow.plan.json import dumps;"
    "p = front(Path(sys.argv[1]), {}).plan; print(render(p), dumps(p))"
)


def texts(path: Path) -> tuple[str, str]:
    plan = front(path, {}).plan
    assert plan is not None
    return render(plan), dumps(plan)


@pytest.fixture(scope="module")
def expected() -> tuple[str, str]:
    return texts(CASE / "x.qf")


def test_folder_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: tuple[str, str]
) -> None:
    deep = tmp_path / "a" / "b"
    shutil.copytree(CASE, deep)
    monkeypatch.chdir(tmp_path / "a")
    assert texts(deep / "x.qf") == expected
    assert texts(Path("b/x.qf")) == expected
    assert texts(Path("../a/b/x.qf")) == expected


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_hash_seed_does_not_matter(seed: str, expected: tuple[str, str]) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(CASE / "x.qf")],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stdout == f"{expected[0]} {expected[1]}\n"


def test_the_folder_is_in_no_text(expected: tuple[str, str]) -> None:
    assert str(CASE) not in expected[0] + expected[1]


def test_line_ends_and_a_bom_do_not_matter(tmp_path: Path, expected: tuple[str, str]) -> None:
    for name in ("x.qf", "x.qf.lock"):
        text = (CASE / name).read_text().rstrip("\n").replace("\n", "\r\n")
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert texts(tmp_path / "x.qf") == expected
