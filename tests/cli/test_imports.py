"""What a verb imports, in a process of its own: nothing that it does not need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "pipelines" / "digits.qf"
HEAVY = ("torch", "numpy", "numba", "onnx", "omegaconf", "hydra")
ASKED_ONLY_WHERE_THERE_IS_SOMETHING = ("importlib.metadata", "pkg_resources")
RUN = """
import contextlib, io, json, sys
sys.dont_write_bytecode = False
from qflow.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything is kept that a second process finds."""
    folder = tmp_path_factory.mktemp("cache")
    imported(folder, "check", str(FILE))
    return folder


def imported(cache: Path, *arguments: str) -> set[str]:
    """The modules of a process that ran this verb to its end."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def below(modules: set[str], *names: str) -> set[str]:
    return {m for m in modules for n in names if m == n or m.startswith(f"{n}.")}


EVERY = [
    ("--version",),
    ("fmt", "--check", str(FILE)),
    ("check", str(FILE)),
    ("plan", str(FILE)),
    ("plan", "--format", "json", str(FILE)),
    ("why", str(FILE), "stem.conv"),
    ("diff", str(FILE), str(FILE)),
]
NAMES = ["version", "fmt", "check", "plan", "plan as json", "why", "diff"]


@pytest.mark.parametrize("arguments", EVERY, ids=NAMES)
def test_no_verb_of_a_reviewer_imports_what_computes(
    arguments: tuple[str, ...], cache: Path
) -> None:
    modules = imported(cache, *arguments)
    assert below(modules, *HEAVY) == set()
    assert below(modules, *ASKED_ONLY_WHERE_THERE_IS_SOMETHING) == set()
    # what was read once is kept
    assert below(modules, "yaml", "qflow.emulation.ops", "qflow.emulation.op") <= {
        "qflow.emulation.ops"
    }
    assert "lark.reconstruct" not in modules


@pytest.mark.parametrize("arguments", EVERY[3:], ids=NAMES[3:])
def test_what_looks_at_a_plan_imports_no_rule(arguments: tuple[str, ...], cache: Path) -> None:
    modules = imported(cache, *arguments)
    assert {m for m in modules if m.startswith("qflow.lint.qf")} == set()


def test_the_version_needs_no_language(cache: Path) -> None:
    modules = imported(cache, "--version")
    assert below(modules, "lark", "qflow.lang", "qflow.compile", "qflow.plan") == set()


def test_a_first_process_says_the_same_as_a_second(cache: Path, tmp_path: Path) -> None:
    """What is kept changes no answer, and one that keeps nothing has it too."""
    project = tmp_path / "project"
    shutil.copytree(FILE.parent, project)

    def said(**environment: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "qflow", "plan", "digits.qf"],
            capture_output=True,
            text=True,
            cwd=project,
            env={**os.environ, **environment},
        )
        return done.stdout, done.stderr

    kept = said(XDG_CACHE_HOME=str(cache))
    assert kept[0].startswith("plan")
    assert said(XDG_CACHE_HOME=str(tmp_path / "new")) == kept
    assert said(XDG_CACHE_HOME=str(tmp_path / "none"), PYTHONDONTWRITEBYTECODE="1") == kept
    assert said(XDG_CACHE_HOME=str(FILE)) == kept
