"""The workflows and hooks that qflow offers: every command in them exists and works."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from qflow.cli import group
from tests.cli.pipeline import copy_case, replace

ROOT = Path(__file__).parent.parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
WORKFLOWS = sorted((ROOT / "docs" / "ci").glob("*.yml"))
GUIDE = ROOT / "docs" / "guide" / "ci.md"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in loaded(path)["jobs"].values() for step in job["steps"]]


def commands() -> Iterator[tuple[str, str]]:
    """Every qflow command of hooks, workflows and guide, and where it stands."""
    for hook in loaded(HOOKS):
        yield hook["id"], f"{hook['entry']} x.qf"
    for path in WORKFLOWS:
        for step in steps(path):
            for line in step.get("run", "").splitlines():
                if line.startswith("qflow "):
                    yield path.name, re.split(r" >>? | \|\| ", line)[0]
    for block in re.findall(r"^```\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("qflow "):
                yield "ci.md", line.partition("#")[0]


@pytest.mark.parametrize(("where", "line"), [*commands()])
def test_every_command_has_its_options(where: str, line: str) -> None:
    _, verb, *arguments = shlex.split(line)
    command = group.get_command(group.make_context("qflow", [], resilient_parsing=True), verb)
    assert command is not None, where
    # parses the arguments, refuses what is not there, and runs nothing
    command.make_context(verb, arguments)


def test_the_commands_that_a_review_needs_are_there() -> None:
    said = {line.split()[1] for where, line in commands() if where == "review.yml"}
    assert said == {"fmt", "check", "diff"}
    assert any("--format sarif" in line for where, line in commands() if "scanning" in where)


def test_hooks_have_what_pre_commit_needs() -> None:
    hooks = loaded(HOOKS)
    assert {h["id"] for h in hooks} >= {"qflow-fmt", "qflow-check"}
    for hook in hooks:
        assert set(hook) == {"id", "name", "description", "entry", "language", "files"}
        assert hook["language"] == "python"
        assert re.search(hook["files"], "pipelines/digits.qf")
        assert not re.search(hook["files"], "pipelines/digits.qf.lock")


def test_the_hooks_of_the_guide_exist() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    ids = {hook["id"] for repo in yaml.safe_load(block)["repos"] for hook in repo["hooks"]}
    assert ids <= {h["id"] for h in loaded(HOOKS)}


def test_no_text_of_a_pull_request_gets_into_a_shell() -> None:
    for path in WORKFLOWS:
        assert not [s["run"] for s in steps(path) if "${{" in s.get("run", "")]
        assert loaded(path)["permissions"]["contents"] == "read"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a change that a reviewer should see, and `qflow` on the path."""
    folder = tmp_path / "checkout"
    (folder / "pipelines").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "qflow"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qflow "$@"\n')
    program.chmod(0o755)
    path = copy_case("int8", folder / "pipelines")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "before")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    replace(
        path,
        "default use w8a8\n",
        'default use w8a8\n  match "head" patch { weight.observer = mse }\n',
    )
    replace(path, "mse }\n", 'mse }\n  match "head" patch { weight.observer = mse }\n')
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_steps_run(checkout: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(summary),
        "BASE": "origin/main",
    }
    out = ""
    for path in WORKFLOWS:
        for step in steps(path):
            script = step.get("run", "")
            if not script or script.startswith("pip "):
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=checkout,
                env=environment,
                capture_output=True,
                text=True,
            )
            out += done.stdout
            assert "Traceback" not in done.stderr
            told = summary.read_text() if summary.exists() else ""
            assert done.returncode in (0, 1), done.stderr + told
    assert "::warning file=pipelines/x.qf,line=" in out
    assert "QF205" in summary.read_text()
    # the semantic difference
    assert "min_max" in summary.read_text()
    assert '"version": "2.1.0"' in (checkout / "qflow.sarif").read_text()
