"""revision: files as they are in a revision of a git repository, read without a checkout."""

import os
import subprocess
from pathlib import Path

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.lang.source import decode


class GitRevision:
    """Sources of one commit. Paths are those of the working tree."""

    def __init__(self, near: Path, revision: str) -> None:
        """The repository that `near`, a folder, lies in.

        `main...` is where this branch left `main`: what `main` got since then is no difference.
        Raises QflowError QF307.
        """
        self.revision = revision
        self.root = Path(_asked(near, revision, "rev-parse", "--show-toplevel").rstrip("\n"))
        # a branch that moves meanwhile must not give a mixture
        name = f"{revision.removesuffix('...')}^{{commit}}"
        found = _asked(near, revision, "rev-parse", "--verify", "--end-of-options", name)
        self._commit = found.split("\n")[-2]
        if revision.endswith("..."):
            found = _asked(near, revision, "merge-base", self._commit, "HEAD")
            self._commit = found.rstrip("\n")

    def text(self, path: Path, shown: str | None = None) -> str:
        """As `Sources.text`."""
        name = shown or path.as_posix()
        try:
            raw = self.read(path)
        except FileNotFoundError as error:
            message = f"there is no file `{name}` in `{self.revision}`"
            raise fail(Diagnostic("QF302", message)) from error
        return decode(raw, name)

    def read(self, path: Path) -> bytes:
        """As `Sources.read`."""
        return self._blob(path, "cat-file", "blob")

    def exists(self, path: Path) -> bool:
        """As `Sources.exists`."""
        try:
            self._blob(path, "cat-file", "-e")
        except FileNotFoundError:
            return False
        return True

    def size(self, path: Path) -> int:
        """As `Sources.size`."""
        return int(self._blob(path, "cat-file", "-s"))

    def pipelines(self) -> frozenset[Path]:
        """Files of this revision that have a lock beside them."""
        listed = _git(self.root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", self._commit)
        return locked(self.root, listed.stdout)

    def changed(self) -> frozenset[Path]:
        """Files of the working tree that are not as in this revision, whether tracked or new."""
        tracked = _git(self.root, "diff", "--name-only", "-z", "--no-renames", self._commit, "--")
        new = _git(self.root, "ls-files", "-z", "--others", "--exclude-standard")
        return frozenset(self.root / name for name in _names(tracked.stdout + new.stdout))

    def _blob(self, path: Path, *command: str) -> bytes:
        inside = os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, self.root)
        name = f"{self._commit}:{Path(inside).as_posix()}"
        done = _git(self.root, *command, name)
        if done.returncode:
            raise FileNotFoundError(f"{self.revision} has no {path.as_posix()}")
        return done.stdout


def working_pipelines(root: Path) -> frozenset[Path]:
    """Files of the working tree that have a lock beside them, whether tracked or new."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return frozenset(path for path in locked(root, listed.stdout) if path.is_file())


def locked(root: Path, listed: bytes) -> frozenset[Path]:
    """The files of a list of git's, separated by NUL, that have a lock in it."""
    names = set(_names(listed))
    return frozenset(root / name for name in names if f"{name}.lock" in names and _program(name))


def _program(name: str) -> bool:
    return name.endswith((".qf", ".yaml", ".yml"))


def _names(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _asked(near: Path, revision: str, *command: str) -> str:
    done = _git(near, *command)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().split("\n")[0]
        raise _unknown(revision, reason)
    return os.fsdecode(done.stdout)


def _git(folder: Path, *command: str) -> "subprocess.CompletedProcess[bytes]":
    """Runs git; raises QflowError QF307 where there is none, or no such folder."""
    try:
        return subprocess.run(
            ["git", "-C", os.fspath(folder), *command], capture_output=True, check=False
        )
    except (OSError, ValueError) as error:
        raise _unknown(command[-1], str(error)) from error


def _unknown(revision: str, reason: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF307",
            f"git cannot read the revision `{revision}`",
            notes=(reason,) if reason else (),
            help="give a file, or a branch, tag or commit of this repository; a shallow clone"
            " has only one: `git fetch --depth 1 origin main` gets the branch",
        )
    )
