"""relocked: the lock of a program whose imported files are patched: it knows them by digest."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qflow.diagnostics import QflowError
from qflow.plan.lock import FileFact, digest, lock_path, read, render


def relocked(program: Path, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """Text of the lock now, and with the files of `texts`, by path from the folder of the program.

    None where they are not in it, or where it is not as `qflow lock` writes it.
    """
    path = lock_path(program)
    try:
        lock = read(path)
        before = path.read_bytes().decode("utf-8")
    except (QflowError, OSError, UnicodeDecodeError):
        return None
    files = tuple(_file(fact, texts) for fact in lock.files)
    after = render(replace(lock, files=files))
    if after == before or render(lock) != before:
        return None
    return before, after


def _file(fact: FileFact, texts: Mapping[str, str]) -> FileFact:
    if fact.kind != "file" or fact.part or fact.path not in texts:
        return fact
    # a checkout may write other line ends
    return replace(fact, digest=digest(texts[fact.path].replace("\r\n", "\n").encode()))
