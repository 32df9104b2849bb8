"""atomic: writing so that nobody, not even after a kill, ever sees half a file."""

import os
import shutil
from pathlib import Path

UNFINISHED = ".unfinished"
"""Part of the name of everything that is not complete."""


def write(path: Path, data: bytes | str) -> None:
    """Replace the content of `path` at once; its folder is made when missing.

    A link stays a link, and permissions stay as they are. Raises OSError; nothing is left behind.
    """
    raw = data.encode() if isinstance(data, str) else data
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    # the process in the name: two writers must not share one unfinished file
    unfinished = target.with_name(f".{target.name}.{os.getpid()}{UNFINISHED}")
    try:
        with unfinished.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Make renames in a folder survive a crash of the machine."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
