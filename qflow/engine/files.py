"""files: files and folders of a run, each complete or not there."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qflow import atomic
from qflow.atomic import UNFINISHED, sync_folder
from qflow.diagnostics import EXIT, Diagnostic, fail

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Full, over the quota, read-only."""


def write(path: Path, data: bytes | str) -> None:
    """`atomic.write`; raises QflowError QF316."""
    try:
        atomic.write(path, data)
    except OSError as error:
        raise unwritable(path, error, EXIT.failed) from error


def replace_file(source: Path, path: Path) -> None:
    """Put a copy of `source` at `path` at once."""
    write(path, source.read_bytes())


def remove(path: Path) -> None:
    """Remove a file that may be missing; raises QflowError QF316."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error, EXIT.failed) from error


def rename_folder(unfinished: Path, path: Path) -> None:
    """Make a folder of finished files appear at `path`, which must not exist, for good."""
    for file in sorted(p for p in unfinished.rglob("*") if p.is_file()):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
    for folder in (unfinished, *(p for p in unfinished.rglob("*") if p.is_dir())):
        sync_folder(folder)
    os.rename(unfinished, path)
    sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder so that a kill half way leaves nothing under its name."""
    if not path.exists():
        return
    doomed = path.with_name(f"{path.name}.old{UNFINISHED}")
    shutil.rmtree(doomed, ignore_errors=True)
    os.rename(path, doomed)
    shutil.rmtree(doomed)


@contextmanager
def lock(path: Path, busy: Callable[[], None], exit_code: int = EXIT.cannot) -> Iterator[None]:
    """Hold the lock of a file until the block ends; its folder is made.

    `busy` is called where another process holds it, and may raise; otherwise the lock is waited
    for. The system drops it when a process ends, however it ends. Raises QflowError QF316.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        raise unwritable(path.parent, error, exit_code) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_about(error: OSError, folder: Path) -> bool:
    """Whether an error is the disk's, or about something in `folder`."""
    if error.errno in _DISK:
        return True
    named = isinstance(error.filename, (str, os.PathLike))
    return named and Path(os.path.realpath(error.filename)).is_relative_to(folder.resolve())


def unwritable(path: Path, error: OSError, exit_code: int = EXIT.cannot) -> Exception:
    """The QF316 for a path that cannot be written."""
    return fail(
        Diagnostic(
            "QF316",
            f"`{path}` cannot be written: {error.strerror or error}",
            help="name another folder with `--out DIR`",
        ),
        exit_code,
    )
