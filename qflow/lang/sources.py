"""sources: where files are read from: the disk, an editor's buffers over it, a git revision.

Everything a plan depends on comes through one of these: the program, the files it imports, its
lock, sensitivity tables, what the lock says of other files.
"""

from collections.abc import Mapping
from os.path import abspath
from pathlib import Path
from typing import Protocol

from qflow.lang.source import normalize, read_text


class Sources(Protocol):
    """What `front` reads with. Paths are those of the disk, whatever stands behind them."""

    def text(self, path: Path, shown: str | None = None) -> str:
        """A text as `lang.source.read_text` gives it.

        Raises QflowError: QF302 when there is no such file, QF107 when it is no text.
        """

    def read(self, path: Path) -> bytes:
        """Raises FileNotFoundError when there is no such file, OSError when it cannot be read."""

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""

    def size(self, path: Path) -> int:
        """Bytes. Raises as `read`."""


class Disk:
    """Files as they lie there."""

    def text(self, path: Path, shown: str | None = None) -> str:
        return read_text(path, shown)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def exists(self, path: Path) -> bool:
        return path.exists()

    def size(self, path: Path) -> int:
        return path.stat().st_size


DISK: Sources = Disk()


class Overlay:
    """Some texts instead of what `base` has: an editor's buffers, standard input."""

    def __init__(self, base: Sources, texts: Mapping[Path, str]) -> None:
        self._base = base
        self._texts = {abspath(path): text for path, text in texts.items()}

    def text(self, path: Path, shown: str | None = None) -> str:
        found = self._texts.get(abspath(path))
        return self._base.text(path, shown) if found is None else normalize(found)

    def read(self, path: Path) -> bytes:
        found = self._texts.get(abspath(path))
        return self._base.read(path) if found is None else found.encode(errors="surrogatepass")

    def exists(self, path: Path) -> bool:
        return abspath(path) in self._texts or self._base.exists(path)

    def size(self, path: Path) -> int:
        return len(self.read(path)) if abspath(path) in self._texts else self._base.size(path)


class Recording:
    """Remembers what was asked for, whether it was there or not."""

    def __init__(self, base: Sources) -> None:
        self._base = base
        self._asked: set[str] = set()

    @property
    def paths(self) -> frozenset[Path]:
        """Absolute paths."""
        return frozenset(map(Path, self._asked))

    def text(self, path: Path, shown: str | None = None) -> str:
        self._asked.add(abspath(path))
        return self._base.text(path, shown)

    def read(self, path: Path) -> bytes:
        self._asked.add(abspath(path))
        return self._base.read(path)

    def exists(self, path: Path) -> bool:
        self._asked.add(abspath(path))
        return self._base.exists(path)

    def size(self, path: Path) -> int:
        self._asked.add(abspath(path))
        return self._base.size(path)
