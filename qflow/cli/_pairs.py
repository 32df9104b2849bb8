"""pairs: which files `qflow diff` compares, from the words behind it."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from qflow.compile.front import front
from qflow.compile.revision import GitRevision, working_pipelines
from qflow.compile.sides import Judged, missing, side
from qflow.diagnostics import Diagnostic, fail
from qflow.lang.sources import DISK, Recording
from qflow.records import dataclass

NOW = "working tree"
_FILES = (".qf", ".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Pair:
    file: str
    before: Callable[[], Judged]
    """Reads that side; raises QflowError where it has no plan."""
    after: Callable[[], Judged]


def pairs(words: tuple[str, ...], settings: Mapping[str, str]) -> Iterator[Pair]:
    """One per file to compare: `REV [FILE...]`, `BEFORE AFTER`, or one FILE against HEAD.

    Raises QflowError: QF307 for a revision, QF308 for words that say nothing to compare.
    """
    if not _is_file(words[0]):
        yield from _since(words[0], tuple(map(Path, words[1:])), settings)
    elif len(words) == 1:
        yield from _since("HEAD", (Path(words[0]),), settings)
    elif len(words) == 2:
        sides = [partial(side, Path(word), Path(word).as_posix(), settings) for word in words]
        yield Pair(Path(words[1]).name, *sides)
    else:
        raise fail(
            Diagnostic(
                "QF308",
                f"`{words[0]}` is a file, and {len(words) - 1} others follow",
                help="name a revision first: `qflow diff origin/main -- FILE...`",
            )
        )


def _is_file(word: str) -> bool:
    return word.endswith(_FILES) or Path(word).is_file()


def _since(name: str, files: tuple[Path, ...], settings: Mapping[str, str]) -> Iterator[Pair]:
    near = files[0].parent if files else Path()
    revision = GitRevision(near if near.is_dir() else Path(), name)
    for path in files or _changed(revision, settings):
        before, after = revision.exists(path), path.exists()
        if not before and not after:
            message = f"there is no file `{path.as_posix()}`, neither here nor in `{name}`"
            raise fail(Diagnostic("QF308", message))
        yield Pair(
            path.as_posix(),
            partial(side, path, name, settings, revision) if before else partial(missing, name),
            partial(side, path, NOW, settings) if after else partial(missing, NOW),
        )


def _changed(revision: GitRevision, settings: Mapping[str, str]) -> Iterator[Path]:
    """Pipelines of which a file is not as it was: their own, their lock, whatever they read."""
    changed = revision.changed()
    for path in sorted(revision.pipelines() | working_pipelines(revision.root)):
        near = Path(os.path.relpath(path))
        own = {path, path.with_name(f"{path.name}.lock")}
        if own & changed or (changed and _reads(near, settings) & changed):
            yield near


def _reads(path: Path, settings: Mapping[str, str]) -> frozenset[Path]:
    recording = Recording(DISK)
    front(path, settings, sources=recording)
    return recording.paths
