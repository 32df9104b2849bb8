"""server: requests of a client, answered from what is known of a file."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

import qflow
from qflow.diagnostics import QflowError
from qflow.lang.format import format_text
from qflow.lsp import report
from qflow.lsp.analysis import Analysis
from qflow.lsp.completion import Candidate, completion
from qflow.lsp.definition import definition
from qflow.lsp.desk import Desk, Open
from qflow.lsp.hover import hover
from qflow.lsp.rename import Refused, rename, subject
from qflow.lsp.text import Text

DELAY = 0.15
"""Seconds after the last change before a file is read again."""
_REQUEST_FAILED = -32803
_KINDS = {
    "keyword": types.CompletionItemKind.Keyword,
    "field": types.CompletionItemKind.Field,
    "value": types.CompletionItemKind.Value,
    "address": types.CompletionItemKind.Module,
    "function": types.CompletionItemKind.Function,
}


class Server(LanguageServer):
    """A server with its desk."""

    def __init__(self, delay: float = DELAY) -> None:
        super().__init__("qflow", qflow.__version__)
        self.desk = Desk(self._publish, delay)
        self.dismissed = False
        """The client said that it is going to leave."""

    def uri(self, path: str) -> str:
        """What the client calls a file: as it opened it, or by its place on disk."""
        file = self.desk.at(path)
        return file.uri if file else uris.from_fs_path(str(Path(path).absolute())) or path

    def text(self, source: str) -> Text:
        encoding = self.server_capabilities.position_encoding
        return Text(source, str(getattr(encoding, "value", encoding) or "utf-16"))

    def _publish(self, file: Open, known: Analysis) -> None:
        found = report.reports(known, self.uri)
        own = known.path.as_posix()
        for path in sorted({*found, *file.told}):
            other = None if path == own else self.desk.at(path)
            if other is None:  # what is open itself says so itself
                version = known.version if path == own else None
                self._send(self.uri(path), found.get(path, []), version)
        file.told = frozenset(found) - {own}

    def _send(self, uri: str, found: Iterable[types.Diagnostic], version: int | None) -> None:
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, list(found), version)
        )

    def forget(self, uri: str) -> None:
        file = self.desk.close(uri)
        if file is not None:
            for path in file.told:
                self._send(self.uri(path), [], None)
            self._send(uri, [], None)


def serve(delay: float = DELAY) -> Server:
    """A server that knows every request; `start_io` makes it talk."""
    server = Server(delay)
    _follow(server)
    _answer(server)
    _change(server)
    return server


def _path(uri: str) -> Path:
    """Where a file lies; one that was never saved stands in the folder the server runs in."""
    found = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(found) if found else Path(uri.rpartition(":")[2].replace("/", "_") or "untitled")


def _follow(server: Server) -> None:
    """What happens to files."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        ls.desk.open(item.uri, _path(item.uri), item.version, ls.text(item.text))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        file = ls.desk.find(params.text_document.uri)
        if file is not None:
            text = file.text
            for change in params.content_changes:
                text = text.changed(change)
            ls.desk.change(file.uri, params.text_document.version, text)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.forget(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        ls.desk.look_at_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        ls.desk.look_at_all()

    @server.feature(types.SHUTDOWN)
    async def shut_down(ls: Server, params: None) -> None:
        ls.dismissed = True
        ls.desk.stop()


def _answer(server: Server) -> None:
    """Questions about a place."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(ls: Server, params: types.HoverParams) -> types.Hover | None:
        known = await ls.desk.text_of(params.text_document.uri)
        if known is None:
            return None
        found = await asyncio.to_thread(hover, known, *known.text.place(params.position))
        if found is None:
            return None
        text, span = found
        content = types.MarkupContent(types.MarkupKind.Markdown, text)
        return types.Hover(content, known.text.range(span))

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=['"', ".", "=", " ", "("]),
    )
    async def completed(ls: Server, params: types.CompletionParams) -> types.CompletionList:
        known = await ls.desk.text_of(params.text_document.uri)
        if known is None:
            return types.CompletionList(False, [])
        line, column = known.text.place(params.position)
        found = await asyncio.to_thread(completion, known, line, column)
        items = [_item(c, known, params.position, line, column) for c in found]
        return types.CompletionList(False, items)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def defined(ls: Server, params: types.DefinitionParams) -> types.Location | None:
        known = await ls.desk.text_of(params.text_document.uri)
        if known is None:
            return None
        found = await asyncio.to_thread(definition, known, *known.text.place(params.position))
        if found is None:
            return None
        return types.Location(ls.uri(found.path), report.range_of(found, known))


def _item(
    candidate: Candidate, known: Analysis, at: types.Position, line: int, column: int
) -> types.CompletionItem:
    start = known.text.position(line, column - candidate.start)
    return types.CompletionItem(
        candidate.text,
        kind=_KINDS[candidate.kind],
        detail=candidate.detail or None,
        text_edit=types.TextEdit(types.Range(start, at), candidate.text),
        filter_text=candidate.text,
    )


def _change(server: Server) -> None:
    """Requests whose answer is a change."""

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatted(ls: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        file = ls.desk.find(params.text_document.uri)
        if file is None:
            return []
        try:
            path = file.path.as_posix()
            text = await asyncio.to_thread(format_text, file.text.normal, path)
        except QflowError:
            return []  # its mistakes are on the screen already
        if "\r\n" in file.text.source:
            text = text.replace("\n", "\r\n")
        same = text == file.text.source
        return [] if same else [types.TextEdit(file.text.whole, text)]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    async def acted(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        known = await ls.desk.known(params.text_document.uri)
        if known is None:
            return []
        first, last = params.range.start.line + 1, params.range.end.line + 1
        return report.actions(known, first, last, ls.uri)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepared(ls: Server, params: types.PrepareRenameParams) -> types.Range | None:
        known = await ls.desk.known(params.text_document.uri)
        if known is None:
            return None
        try:
            return known.text.range(subject(known, *known.text.place(params.position)))
        except Refused as error:
            raise JsonRpcException(str(error), code=_REQUEST_FAILED) from error

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def renamed(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
        known = await ls.desk.known(params.text_document.uri)
        if known is None:
            return None
        line, column = known.text.place(params.position)
        try:
            found = await asyncio.to_thread(rename, known, line, column, params.new_name)
        except Refused as error:
            raise JsonRpcException(str(error), code=_REQUEST_FAILED) from error
        edits = [edit for edits in found.values() for edit in edits]
        return types.WorkspaceEdit(changes=report.changes(edits, known, ls.uri))
