"""desk: the open files, each read again a moment after its last change, by one thread.

The loop that talks to the client never waits for it: what is known of the version before answers
until the next is there. Of changes that follow each other only the last is looked at.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from qflow.lsp.analysis import Analysis, analyse, reread
from qflow.lsp.text import Text

Publish = Callable[["Open", Analysis], None]


@dataclass
class Open:
    """A file the client has open."""

    uri: str
    path: Path
    version: int
    text: Text
    known: Analysis | None = None
    """Of the last version that was looked at."""
    waiting: asyncio.Task[None] | None = field(default=None, repr=False)
    told: frozenset[str] = frozenset()
    """Paths of other files it said something about."""


class Desk:
    """Every open file by its uri. Use it from the loop only."""

    def __init__(self, publish: Publish, delay: float) -> None:
        """`publish` is told of every analysis; `delay`: seconds without a change before one."""
        self._publish = publish
        self._delay = delay
        self._open: dict[str, Open] = {}
        self._thread = ThreadPoolExecutor(1, "qflow-lsp")

    def open(self, uri: str, path: Path, version: int, text: Text) -> None:
        self._open[uri] = file = Open(uri, path, version, text)
        self._look(file, 0.0)
        self._look_at_those_that_read(path)

    def change(self, uri: str, version: int, text: Text) -> None:
        file = self._open[uri]
        file.version, file.text = version, text
        self._look(file, self._delay)
        self._look_at_those_that_read(file.path)

    def close(self, uri: str) -> Open | None:
        file = self._open.pop(uri, None)
        if file is not None:
            if file.waiting is not None:
                file.waiting.cancel()
            self._look_at_those_that_read(file.path)
        return file

    def find(self, uri: str) -> Open | None:
        return self._open.get(uri)

    def at(self, path: str) -> Open | None:
        return next((f for f in self._open.values() if f.path.as_posix() == path), None)

    def look_at_all(self) -> None:
        """After a change on disk."""
        for file in self._open.values():
            self._look(file, self._delay)

    async def known(self, uri: str) -> Analysis | None:
        """What is known of the version that is open now; waits for it without blocking others."""
        file = self._open.get(uri)
        while file is not None and (file.known is None or file.known.version != file.version):
            if file.waiting is None or file.waiting.done():
                self._look(file, 0.0)
            waiting = file.waiting
            assert waiting is not None, "`_look` sets it"
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                waiting.result()  # a mistake of ours answers the request, it is not tried for ever
            file = self._open.get(uri)
        return file.known if file else None

    async def text_of(self, uri: str) -> Analysis | None:
        """As `known`, at once: of a version that was not looked at yet only the text is new."""
        file = self._open.get(uri)
        if file is None or file.known is None or file.known.version == file.version:
            return await self.known(uri)
        return await asyncio.to_thread(reread, file.known, file.version, file.text)

    def stop(self) -> None:
        for file in self._open.values():
            if file.waiting is not None:
                file.waiting.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look_at_those_that_read(self, path: Path) -> None:
        for other in self._open.values():
            if other.path != path and other.known and path.as_posix() in other.known.read:
                self._look(other, self._delay)

    def _look(self, file: Open, delay: float) -> None:
        if file.waiting is not None:
            file.waiting.cancel()
        file.waiting = asyncio.get_running_loop().create_task(self._analyse(file, delay))

    async def _analyse(self, file: Open, delay: float) -> None:
        await asyncio.sleep(delay)
        buffers = {f.path: f.text.source for f in self._open.values()}
        version = file.version
        loop = asyncio.get_running_loop()
        known = await loop.run_in_executor(
            self._thread, analyse, file.path, version, file.text, buffers, file.known
        )
        if self._open.get(file.uri) is file and file.version == version:
            file.known = known
            self._publish(file, known)
