"""An editor for tests: the client of pygls on a real `qflow lsp`, waited for and never slept for."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from qflow.lsp.text import Text

LONGEST = 60.0
"""Seconds after which a server that says nothing is taken for dead."""
T = TypeVar("T")


class Editor(LanguageClient):
    """What an editor does, one file at a time."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.texts: dict[str, Text] = {}
        self.versions: dict[str, int] = {}
        self.said: dict[str, types.PublishDiagnosticsParams] = {}
        self.count = 0
        """How many reports there were."""
        self.messages: list[str] = []
        self._news = asyncio.Condition()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: types.PublishDiagnosticsParams) -> None:
            async with self._news:
                self.said[params.uri] = params
                self.count += 1
                self._news.notify_all()

        @self.feature(types.WINDOW_SHOW_MESSAGE)
        async def shown(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def until(self, ready: Callable[[], T | None]) -> T:
        """What `ready` gives once it gives something."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: ready() is not None), LONGEST)
            found = ready()
            assert found is not None
            return found

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        source = path.read_bytes().decode() if text is None else text
        self.texts[uri], self.versions[uri] = Text(source), 1
        self.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "qflow", 1, source))
        )
        return uri

    def replace(self, uri: str, old: str, new: str) -> None:
        """Type over the only place where `old` stands."""
        text = self.texts[uri]
        assert text.source.count(old) == 1, f"{old!r} must stand once"
        start = text.source.index(old)
        at = types.Range(self._position(uri, start), self._position(uri, start + len(old)))
        change = types.TextDocumentContentChangePartial(at, new)
        self.texts[uri] = text.changed(change)
        self.versions[uri] += 1
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.versions[uri], uri), [change]
            )
        )

    def _position(self, uri: str, offset: int) -> types.Position:
        text = self.texts[uri]
        before = text.source[:offset]
        line = before.count("\n") + 1
        return text.position(line, offset - (before.rfind("\n") + 1) + 1)

    def at(self, uri: str, before: str, after: str = "") -> dict[str, Any]:
        """The cursor between two texts that stand next to each other once."""
        source = self.texts[uri].source
        assert source.count(before + after) == 1, f"{before + after!r} must stand once"
        position = self._position(uri, source.index(before + after) + len(before))
        return {
            "text_document": types.TextDocumentIdentifier(uri),
            "position": position,
        }

    async def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """Those of the version that is open now."""

        def ready() -> types.PublishDiagnosticsParams | None:
            found = self.said.get(uri)
            return found if found and found.version == self.versions[uri] else None

        return list((await self.until(ready)).diagnostics)

    async def codes(self, uri: str) -> list[str]:
        return [str(d.code) for d in await self.diagnostics(uri)]

    async def complete(self, uri: str, before: str, after: str = "") -> dict[str, Any]:
        """Candidates by text."""
        found = await asyncio.wait_for(
            self.text_document_completion_async(
                types.CompletionParams(**self.at(uri, before, after))
            ),
            LONGEST,
        )
        assert isinstance(found, types.CompletionList)
        return {item.label: item for item in found.items}

    def apply(self, uri: str, edits: list[types.TextEdit]) -> str:
        """The text of a file after edits of the server, which do not overlap."""
        text = self.texts[uri]
        order = sorted(edits, key=lambda e: text.offset(e.range.start), reverse=True)
        for edit in order:
            text = text.changed(types.TextDocumentContentChangePartial(edit.range, edit.new_text))
        return text.source


@asynccontextmanager
async def editor(root: Path) -> AsyncIterator[Editor]:
    """A started server with an initialized client; at the end the server has left with 0."""
    client = Editor()
    await client.start_io(sys.executable, "-m", "qflow", "lsp", cwd=str(root))
    await asyncio.wait_for(
        client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(), root_uri=root.as_uri(), process_id=None
            )
        ),
        LONGEST,
    )
    client.initialized(types.InitializedParams())
    server = client._server
    assert server is not None
    try:
        yield client
        await asyncio.wait_for(client.shutdown_async(None), LONGEST)
    finally:
        client.exit(None)
        await asyncio.wait_for(server.wait(), LONGEST)
        await client.stop()
    assert client.messages == []
    assert server.returncode == 0
