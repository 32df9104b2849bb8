"""cache: artifacts, folders named by what they were made from; whole and sound, or not there."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qflow.atomic import UNFINISHED
from qflow.diagnostics import EXIT
from qflow.engine import digest, files

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """A finished folder of files."""

    folder: Path
    digests: Mapping[str, str]
    """sha256 of every file by its name."""
    seconds: float
    """What it took to make."""

    def json(self, name: str) -> Any:
        """The plain data of one of its files."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Found:
    """What lies under a key."""

    artifact: Artifact | None
    damaged: str = ""
    """Why what lies there cannot be used."""


@dataclass(frozen=True)
class Cache:
    root: Path

    def place(self, stage: str, key: str) -> Path:
        return self.root / f"{stage}-{key[:16]}"

    def _unfinished(self, stage: str, key: str) -> Path:
        place = self.place(stage, key)
        return place.with_name(f"{place.name}{UNFINISHED}")

    def checkpoint(self, stage: str, key: str) -> Path:
        """The file with which an attempt that was killed is gone on with."""
        place = self.place(stage, key)
        return place.with_name(f"{place.name}.checkpoint.safetensors")

    @contextmanager
    def hold(self, stage: str, key: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Inside, no other process makes, changes or removes what lies under the key.

        Points of a sweep share a cache: of two that need the same artifact one makes it, and the
        other waits, having called `waiting`. Raises QflowError QF316.
        """
        place = self.place(stage, key)
        with files.lock(place.with_name(f".{place.name}.lock"), waiting, EXIT.failed):
            yield

    def find(self, stage: str, key: str) -> Found:
        """The artifact of a key, every byte of it verified."""
        folder = self.place(stage, key)
        if not folder.exists():
            return Found(None)
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            digests, seconds = dict(manifest["files"]), float(manifest["seconds"])
            if manifest["key"] != key:
                return Found(None, "it was made from something else")
            wrong = [n for n, d in sorted(digests.items()) if digest.of_file(folder / n) != d]
            there = _files(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return Found(None, f"{type(error).__name__}: {error}")
        if sorted(digests) != there:
            return Found(None, "the files in it are not those it lists")
        if wrong:
            return Found(None, f"`{wrong[0]}` was changed")
        return Found(Artifact(folder, digests, seconds))

    def start(self, stage: str, key: str) -> Path:
        """An empty folder to make the artifact in; nothing lies under the key any more."""
        files.remove_folder(self.place(stage, key))
        self.abandon(stage, key)
        unfinished = self._unfinished(stage, key)
        unfinished.mkdir(parents=True)
        return unfinished

    def abandon(self, stage: str, key: str) -> None:
        """Remove what was begun and will not be finished."""
        shutil.rmtree(self._unfinished(stage, key), ignore_errors=True)

    def finish(self, stage: str, key: str, seconds: float) -> Artifact:
        """Give the folder of `start` its name, once all its files are written."""
        place = self.place(stage, key)
        unfinished = self._unfinished(stage, key)
        digests = {name: digest.of_file(unfinished / name) for name in _files(unfinished)}
        manifest = {"files": digests, "key": key, "seconds": seconds, "stage": stage}
        files.write(unfinished / MANIFEST, json.dumps(manifest, indent=2, sort_keys=True) + "\n")
        files.rename_folder(unfinished, place)
        files.remove(self.checkpoint(stage, key))
        return Artifact(place, digests, seconds)


def _files(folder: Path) -> list[str]:
    """Names of all files of an artifact but its manifest, sorted."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in found if name != MANIFEST)
