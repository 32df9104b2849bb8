"""A scripted session of a real client with a real server: what a person does in an editor."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from qflow.lang.yaml.convert import convert
from tests.lsp.editor import LONGEST, Editor, editor

PIPELINES = Path(__file__).parents[2] / "pipelines"


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the digits pipeline that tests may write to, and the same in YAML."""
    folder = tmp_path_factory.mktemp("pipelines")
    for name in ("digits.qf", "digits.qf.lock"):
        shutil.copy(PIPELINES / name, folder / name)
    shutil.copytree(PIPELINES / "digits", folder / "digits")
    text, _ = convert((PIPELINES / "digits.qf").read_text(encoding="utf-8"), "digits.qf")
    (folder / "as.yaml").write_text(text, encoding="utf-8")
    shutil.copy(PIPELINES / "digits.qf.lock", folder / "as.yaml.lock")
    return folder


def run(folder: Path, session: Callable[[Editor], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with editor(folder) as client:
            await session(client)

    asyncio.run(whole())


def test_a_session(pipelines: Path) -> None:
    run(pipelines, lambda client: _session(client, pipelines / "digits.qf"))


async def _session(client: Editor, path: Path) -> None:
    uri = client.open(path)
    clean = await client.codes(uri)
    assert not [code for code in clean if code.startswith(("QF1", "QF2"))]
    await _hover(client, uri)
    await _definitions(client, uri)
    await _broken(client, uri)
    await _formatting(client, uri)
    await _rename(client, uri)
    await _burst(client, uri)
    client.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
    )
    gone = await client.until(
        lambda: client.said[uri] if client.said[uri].version is None else None
    )
    assert not gone.diagnostics
    await _yaml(client, path.with_name("as.yaml"))


async def _yaml(client: Editor, path: Path) -> None:
    uri = client.open(path)
    assert not [code for code in await client.codes(uri) if code.startswith(("QF1", "QF2"))]
    client.replace(uri, "use: stem}", "use: stme}")
    (found,) = [d for d in await client.diagnostics(uri) if d.code == "QF110"]
    line = client.texts[uri].line(found.range.start.line + 1)
    assert line[found.range.start.character : found.range.end.character] == "stme"
    client.replace(uri, "use: stme}", "use: stem}")
    params = types.DefinitionParams(**client.at(uri, "use: st", "em}"))
    place = await asyncio.wait_for(client.text_document_definition_async(params), LONGEST)
    assert client.texts[uri].line(place.range.start.line + 1) == "  stem:"
    hovered = types.HoverParams(**client.at(uri, '"stem', ".**"))
    said = await asyncio.wait_for(client.text_document_hover_async(hovered), LONGEST)
    assert "act.observer" in said.contents.value
    client.replace(uri, "  act: {type: dtype,", "  act: {  type: dtype,")
    options = types.FormattingOptions(2, True)
    asked = types.DocumentFormattingParams(types.TextDocumentIdentifier(uri), options)
    edits = await asyncio.wait_for(client.text_document_formatting_async(asked), LONGEST)
    assert edits
    assert client.apply(uri, list(edits)) == path.read_text(encoding="utf-8")


async def _hover(client: Editor, uri: str) -> None:
    params = types.HoverParams(**client.at(uri, '"stem', ".**"))
    found = await asyncio.wait_for(client.text_document_hover_async(params), LONGEST)
    assert isinstance(found, types.Hover)
    assert isinstance(found.contents, types.MarkupContent)
    said = found.contents.value
    assert "stem.conv\n" in said
    assert "act.observer" in said
    assert "percentile" in said
    assert "in finetune" in said
    assert "qat" in said
    named = types.HoverParams(**client.at(uri, "use st", "em"))
    found = await asyncio.wait_for(client.text_document_hover_async(named), LONGEST)
    assert "qconfig stem {" in found.contents.value
    outside = types.HoverParams(**client.at(uri, "qflow", " 1"))
    assert await asyncio.wait_for(client.text_document_hover_async(outside), LONGEST) is None


async def _definitions(client: Editor, uri: str) -> None:
    for before, after, line in (
        ("use st", "em", "qconfig stem {"),
        ("on cal", "ib {", "data calib {"),
        ("epochs rou", "nds", "param rounds: int"),
        ("act.dtype      = a", "ct\n", "param act: "),
        ("output.log", "its is", "output     ="),
    ):
        params = types.DefinitionParams(**client.at(uri, before, after))
        found = await asyncio.wait_for(client.text_document_definition_async(params), LONGEST)
        assert isinstance(found, types.Location), before
        assert found.uri == uri
        assert client.texts[uri].line(found.range.start.line + 1).lstrip().startswith(line.strip())
    params = types.DefinitionParams(**client.at(uri, "base           = w8", "a8"))
    found = await asyncio.wait_for(client.text_document_definition_async(params), LONGEST)
    assert found.uri.endswith("conf/qconfig/w8a8.yaml")


async def _broken(client: Editor, uri: str) -> None:
    """Mistakes, their fixes, and completion while the text does not parse."""
    client.replace(uri, "march    = march", "march    : march")
    (found,) = await client.diagnostics(uri)
    assert (found.code, found.source) == ("QF101", "qflow")
    assert found.severity == types.DiagnosticSeverity.Error
    line = client.texts[uri].line(found.range.start.line + 1)
    assert line[found.range.start.character : found.range.end.character] == ":"
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(uri), found.range, types.CodeActionContext([found])
    )
    (action,) = await asyncio.wait_for(client.text_document_code_action_async(params), LONGEST)
    assert action.edit.changes is not None
    mended = client.apply(uri, action.edit.changes[uri])
    assert mended == client.texts[uri].source.replace("march    : march", "march    = march")

    client.replace(uri, '  match "stem.**" use stem\n', '  match "stem.c\n  match "x" use \n')
    assert set(await client.codes(uri)) <= {"QF101", "QF103", "QF105"}
    found = await client.complete(uri, '"stem.c')
    assert found["stem.conv"].detail == "conv2d"
    assert found["stem.conv"].kind == types.CompletionItemKind.Module
    edit = found["stem.conv"].text_edit
    assert isinstance(edit, types.TextEdit)
    assert edit.range.end.character - edit.range.start.character == len("stem.c")
    assert "head.fc" not in found
    client.replace(uri, '  match "stem.c\n', "")
    found = await client.complete(uri, 'match "x" use ', "\n")
    assert {"stem", "w8a8", "w8a16"} <= set(found)
    client.replace(uri, 'match "x" use \n', 'match "stem.**" \n')
    found = await client.complete(uri, '"stem.**" ', "\n")
    assert {"use", "patch", "float", "optional", "expect", "except"} <= set(found)

    client.replace(uri, "act.observer   = percentile", "act.observer   = ")
    found = await client.complete(uri, "act.observer   = ", "\n")
    assert {"percentile", "mse", "rounds"} <= set(found)
    client.replace(uri, "act.percentile = 99.99", "act.pe")
    found = await client.complete(uri, "act.pe", "\n")
    assert found["act.percentile"].kind == types.CompletionItemKind.Field
    client.replace(uri, "march    : march", "march    = ")
    assert {"nash-m", "march"} <= set(await client.complete(uri, "march    = ", "\n"))

    # an explanation of what stands in the file still comes from the last version with a plan
    params = types.HoverParams(**client.at(uri, '"stem', ".**"))
    hover = await asyncio.wait_for(client.text_document_hover_async(params), LONGEST)
    assert "act.observer" in hover.contents.value
    assert "as the last version without mistakes had it" in hover.contents.value
    client.replace(uri, "act.pe\n", "act.percentile = 99.99\n")
    client.replace(uri, "act.observer   = \n", "act.observer   = percentile\n")
    client.replace(uri, "march    = \n", "march    = march\n")
    client.replace(uri, 'match "stem.**" \n', 'match "stem.**" use stem\n')
    assert "QF105" not in await client.codes(uri)


async def _formatting(client: Editor, uri: str) -> None:
    client.replace(uri, "  unlisted = error", "unlisted=error")
    options = types.FormattingOptions(2, True)
    params = types.DocumentFormattingParams(types.TextDocumentIdentifier(uri), options)
    edits = await asyncio.wait_for(client.text_document_formatting_async(params), LONGEST)
    assert edits
    formatted = client.apply(uri, list(edits))
    assert formatted == (PIPELINES / "digits.qf").read_text()
    client.replace(uri, client.texts[uri].source, formatted)
    assert not await asyncio.wait_for(client.text_document_formatting_async(params), LONGEST)
    client.replace(uri, "qflow 1\n", "qflow 1\nnonsense\n")
    assert not await asyncio.wait_for(client.text_document_formatting_async(params), LONGEST)
    client.replace(uri, "qflow 1\nnonsense\n", "qflow 1\n")


async def _rename(client: Editor, uri: str) -> None:
    async def rename(before: str, after: str, new: str) -> types.WorkspaceEdit:
        params = types.RenameParams(**client.at(uri, before, after), new_name=new)
        found = await asyncio.wait_for(client.text_document_rename_async(params), LONGEST)
        assert found is not None
        return found

    before = client.texts[uri].source
    for place in (("param a", "ct:"), ("act.dtype      = a", "ct\n")):
        found = await rename(*place, "bits")
        assert found.changes is not None
        assert client.apply(uri, list(found.changes[uri])) == (
            before.replace("param act: ", "param bits: ").replace("dtype      = act", "dtype      = bits")
            .replace("act.dtype = act;", "act.dtype = bits;")
        )  # fmt: skip
    for place, new, reason in (
        (("param a", "ct:"), "weight", "there is a param `weight` already, in line 5"),
        (("param a", "ct:"), "w8a8", "which would then mean the param"),
        (("param a", "ct:"), "two words", "is no name"),
        (("param a", "ct:"), "true", "is a value"),
        (("param a", "ct:"), "act", "it is called `act` already"),
        (("use st", "em"), "trunk", "only a param of this file can be renamed"),
        (("qflow", " 1"), "x", "only a param of this file can be renamed"),
    ):
        with pytest.raises(JsonRpcException, match=reason):
            await rename(*place, new)
    prepare = types.PrepareRenameParams(**client.at(uri, "param a", "ct:"))
    found = await asyncio.wait_for(client.text_document_prepare_rename_async(prepare), LONGEST)
    assert isinstance(found, types.Range)
    assert found.end.character - found.start.character == len("act")
    client.replace(uri, "unlisted = error", "unlisted error")
    with pytest.raises(JsonRpcException, match="mend these first"):
        await rename("param a", "ct:", "bits")
    client.replace(uri, "unlisted error", "unlisted = error")


async def _burst(client: Editor, uri: str) -> None:
    """Of many changes at once, the last is what is reported."""
    await client.diagnostics(uri)
    before = client.count
    for number in range(40):
        client.replace(uri, f"samples = {256 + number}", f"samples = {257 + number}")
    client.replace(uri, "samples = 296", "samples : 296")
    assert await client.codes(uri) == ["QF101"]
    assert client.count - before < 10


SHARED = "qflow 1\nqconfig low { base = w8a8 }\nparam bits: dtype = int8\n"
MAIN = """\
qflow 1  # \U0001f600
use "shared.qf" as s
model m { entry = "a:b"; input = {x: float32[1, 4]}; output = {y: float32[1, 4]} }
target t { march = "nash-m" }
data d { loader = "a:b" }
quantize {
  default use s.low
  match "**" patch { act.dtype = s.bits }
}
schedule { stage c on d { state "**" = calibration } }
"""


def test_files_that_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "shared.qf").write_text(SHARED)
    run(tmp_path, lambda client: _imports(client, tmp_path))


async def _imports(client: Editor, folder: Path) -> None:
    uri = client.open(folder / "main.qf", MAIN)
    assert await client.codes(uri) == ["QF304"]
    params = types.DefinitionParams(**client.at(uri, "use s.l", "ow"))
    found = await asyncio.wait_for(client.text_document_definition_async(params), LONGEST)
    assert found.uri == (folder / "shared.qf").as_uri()
    assert found.range.start == types.Position(1, 8)
    params = types.DefinitionParams(**client.at(uri, 'use "sha', 'red.qf"'))
    found = await asyncio.wait_for(client.text_document_definition_async(params), LONGEST)
    assert found.uri == (folder / "shared.qf").as_uri()
    assert "s.low" in await client.complete(uri, "default use s.", "low")

    # what is open counts, saved or not
    shared = client.open(folder / "shared.qf")
    await client.diagnostics(shared)
    client.replace(shared, "qconfig low", "qconfig lower")
    found = await client.until(
        lambda: next((d for d in client.said[uri].diagnostics if d.code == "QF110"), None)
    )
    assert "s.low" in found.message
    client.replace(shared, "qconfig lower", "qconfig low")
    await client.until(
        lambda: True if [d.code for d in client.said[uri].diagnostics] == ["QF304"] else None
    )

    # a param is renamed in every file that uses it
    renaming = types.RenameParams(**client.at(shared, "param b", "its"), new_name="width")
    edit = await asyncio.wait_for(client.text_document_rename_async(renaming), LONGEST)
    assert edit is not None
    assert edit.changes is not None
    assert "param width: dtype" in client.apply(shared, list(edit.changes[shared]))
    assert "act.dtype = s.width" in client.apply(uri, list(edit.changes[uri]))

    # columns are counted in the units of the client
    client.replace(uri, "qflow 1  # \U0001f600", "qflow 1")
    client.replace(uri, "target t {", 'target t { unlisted = "\U0001f600"; a: 1;')
    (found,) = [d for d in await client.diagnostics(uri) if d.code == "QF101"]
    assert found.range.start.character == len('target t { unlisted = "..."; a') - 1
    client.replace(uri, ' unlisted = "\U0001f600"; a: 1;', "")
    assert "QF101" not in await client.codes(uri)
