"""lock: what the model of a file is, by building and tracing it, for the file's lock."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from qflow import compile as compiler
from qflow import lang
from qflow.diagnostics import QflowError, has_errors
from qflow.engine import entry
from qflow.plan import code_parts
from qflow.plan.lock import OLDER, FileFact, Lock, digest, without_checks
from qflow.plan.plan import ModelSpec


def make_lock(path: Path, settings: Mapping[str, str]) -> Lock:
    """Build the model, trace it, digest the files it came from. Its weights are not loaded.

    Raises QflowError with every finding when the file is wrong, QF302 for a missing checkpoint,
    and what building and tracing raise (QF312 to QF314).
    """
    program = lang.load(path)
    outline = compiler.outline(program, settings)
    if outline.model is None or has_errors(outline.diagnostics):
        raise QflowError(outline.diagnostics)
    # torch is imported from here on
    from qflow.engine.model import build, traced

    folder = path.parent
    read = (*program.imported, *outline.tables)
    facts = (*_texts(read, folder), *_facts(outline.model, folder))
    found = traced(build(outline.model, folder), outline.model, outline.graph, folder)
    return Lock(found.inventory, facts, compiler.traced(outline.model, outline.graph))


def _texts(names: Iterable[str], folder: Path) -> Iterator[FileFact]:
    """Files the program uses, and tables it takes scales from: a change of one is one of it."""
    for name in dict.fromkeys(names):
        # a table that is not there is an error of every verb that makes a plan
        if (folder / name).is_file():
            raw = (folder / name).read_bytes().replace(b"\r\n", b"\n")
            yield FileFact("file", name, digest(raw))


def _facts(spec: ModelSpec, folder: Path) -> Iterator[FileFact]:
    """The model's own source where it lies beside the program, and the checkpoint."""
    if spec.file:
        yield _binary(spec, "file", spec.file, folder)
    source = _source(spec, folder)
    if source is not None and source.is_relative_to(folder.resolve()):
        shown = source.relative_to(folder.resolve()).as_posix()
        for part, found in code_parts.parts(source.read_bytes()).items():
            yield FileFact("file", shown, found, part=part)
    if spec.checkpoint is not None:
        yield _binary(spec, "checkpoint", spec.checkpoint, folder)


def _source(spec: ModelSpec, folder: Path) -> Path | None:
    if not spec.entry:
        return None
    at = entry.span_of(spec.fields, "entry", spec.at)
    entry.find(spec.entry, folder, at)
    file = import_module(spec.entry.partition(":")[0]).__file__
    return Path(file).resolve() if file else None


def _binary(spec: ModelSpec, field: str, name: str, folder: Path) -> FileFact:
    """The file that a field of the model block names."""
    from qflow.quantization.state_file import missing

    path = folder / name
    sha = sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                sha.update(chunk)
        size = path.stat().st_size
    except OSError as error:
        raise missing(name, error, entry.span_of(spec.fields, field, spec.at)) from error
    return FileFact("weights", name, f"sha256:{sha.hexdigest()}", size)


def difference(path: Path, text: str) -> tuple[str, ...]:
    """Lines by which the lock at `path` differs from `text`, as in a diff; none when equal."""
    if not path.exists():
        return (f"there is no {path.as_posix()}",)
    # line ends are a matter of the checkout
    before = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    after = text.splitlines()
    if [line for line in before if line] == [line for line in after if line]:
        return ()
    if before[:1] == [OLDER]:
        return (f"its form is that of an earlier version, `{OLDER}`",)
    # the check of a line changes with the line before it, which says nothing to a reader
    was, now = without_checks(before), without_checks(after)
    lines = unified_diff(was, now, "lock", "model", lineterm="", n=0)
    shown = tuple(line for line in lines if not line.startswith(("---", "+++", "@@")))
    return shown or ("the lines say the same, in another order or form",)
