"""What a reviewer compares is the same bytes in any time zone, locale, folder, hash seed, Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = """
import sys
from pathlib import Path
from qflow.compile.front import front
from qflow.plan.diff import Side, compare, json as diff_json, markdown, text
from qflow.plan.json import dumps
from qflow.plan.lock import render as lock_text
from qflow.plan.text import render
one, other = (front(Path(p), {}) for p in sys.argv[1:])
found = compare(Side("one", one.plan, one.sources), Side("other", other.plan, other.sources))
out = [render(one.plan), dumps(one.plan), lock_text(one.lock)]
out += [text.render(found, "f", full=True), markdown.render(found, "f"), repr(diff_json.plain(found, "f"))]
sys.stdout.buffer.write("".join(out).encode())
"""
NAMES = ("digits_mixed.qf", "digits_frozen.qf")
OTHERS = [
    *filter(None, os.environ.get("QFLOW_PYTHONS", "").split(os.pathsep)),
    *(p for n in (10, 11, 12, 13, 14) if (p := shutil.which(f"python3.{n}"))),
]
"""Other versions: those on the path, and those that the environment names."""


def output(folder: Path, python: str = sys.executable, **environment: str) -> bytes:
    """What the script prints of two pipelines of a folder."""
    done = subprocess.run(
        [python, "-c", SCRIPT, *(str(folder / name) for name in NAMES)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def expected() -> bytes:
    return output(ROOT / "pipelines")


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati", "HOME": "/", "COLUMNS": "20", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "2"},
    ],
    ids=["time zone", "locale"],
)
def test_environment(environment: dict[str, str], expected: bytes) -> None:
    assert output(ROOT / "pipelines", **environment) == expected


def test_folder(tmp_path: Path, expected: bytes) -> None:
    folder = tmp_path / "an other" / "földer"
    shutil.copytree(ROOT / "pipelines", folder, ignore=shutil.ignore_patterns("runs"))
    assert output(folder) == expected
    assert str(ROOT).encode() not in expected


@pytest.mark.parametrize("python", OTHERS)
def test_python(python: str, expected: bytes) -> None:
    """Where another one is installed that has the packages."""
    needed = "import click, lark, numpy, yaml"
    if subprocess.run([python, "-c", needed], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} cannot `{needed}`")
    assert output(ROOT / "pipelines", python) == expected
