"""How the examples of explained ids are run: files, Python, scripts and command lines."""

import contextlib
import functools
import io
import linecache
import logging
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from qflow.cli import main
from qflow.diagnostics import EXIT, QflowError, explaining
from qflow.diagnostics.explaining import Block, Page
from qflow.lang import yaml
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from qflow.lint.findings import findings
from qflow.march import current
from qflow.plan.lock import Lock, lock_path, render
from tests.compile.models import MODELS, of_entry
from tests.diagnostics import project

MEASURED = Path(__file__).parent.parent / "cases" / "compile" / "sensitive_top" / "x.sens.json"
"""What `measured` behind the name of a file stands for: a table of the network of the frame."""
ID = re.compile(r"\bQF\d{3}\b")
ENTRY = re.compile(r"\bnets:(\w+)")
NAMED = ("data", "qconfig", "sensitivity", "rules", "sweep")
"""Blocks of which a file has several, told apart by their names."""


@dataclass(frozen=True)
class Given:
    """What running an example said."""

    ids: frozenset[str]
    errors: frozenset[str]
    """Those of errors: a mended example has none, so that it does not pass by being broken."""


def given(page: Page, block: Block) -> Given:
    """What an example gives; it is run in the current folder, which is empty."""
    return _RUN[_kind(block)](page, block)


def whole(excerpt: str, frame: str, edition_only: bool = False) -> str:
    """An excerpt with every block of the frame that it has not got itself.

    What begins with an edition is a whole file, unless `edition_only` says that it is an excerpt
    with an edition of its own.
    """
    if excerpt.startswith("qflow ") and not edition_only:
        return excerpt
    own = {_name(line) for line in excerpt.splitlines()}
    parts = re.split(r"\n\n|\n(?=data )", frame.rstrip("\n"))
    missing = [p for p in parts[1:] if _name(p) not in own]
    if edition_only:
        return "\n\n".join([excerpt, *missing]) + "\n"
    return "\n\n".join([parts[0], *missing, excerpt])


def whole_yaml(excerpt: str, frame: str) -> str:
    """The same of an excerpt in YAML: the frame's keys that it has not got itself."""
    if excerpt.startswith("qflow:"):
        return excerpt
    own = {line.partition(":")[0] for line in excerpt.splitlines()}
    parts = re.split(r"^(?=\w+:)", _in_yaml(frame), flags=re.MULTILINE)
    return "".join(p for p in parts if p.partition(":")[0] not in own) + excerpt


@functools.cache
def _in_yaml(frame: str) -> str:
    parsed = parse(frame, "frame.qf")
    assert parsed.file is not None
    return yaml.show(program_of(parsed.file))


def _name(line: str) -> str:
    """`data calib` of a line that begins such a block; a file has one model and one target."""
    words = line.split()
    if not words or line[0].isspace():
        return ""
    return " ".join(words[:2]) if words[0] in NAMED else words[0]


def _qf(page: Page, block: Block) -> Given:
    needs = _needs(page, block)
    locks = [b for b in needs if b.kind == "lock"]
    frame = explaining.frame_of("qf").replace("nets:digits", _model(locks))
    if block.kind == "yaml":
        text, path = whole_yaml(block.text, frame), Path("x.yaml")
    else:
        text, path = whole(block.text, frame, "excerpt" in block.words), Path("x.qf")
    path.write_text(text, encoding="utf-8", newline="")
    if lock := _lock(locks, text):
        lock_path(path).write_text(lock)
    _files(needs)
    lines = [line for b in needs if b.kind == "set" for line in b.text.splitlines()]
    settings = dict(line.split("=", 1) for line in lines)
    locked = any("locked" in b.words for b in (block, *locks))
    return _of(path, settings, locked)


def _needs(page: Page, block: Block) -> list[Block]:
    """Blocks that belong to every example, or to those of this role."""
    return [b for b in page.blocks if b.role in ("", block.role)]


def _model(locks: list[Block]) -> str:
    """Entry of the model that `lock NAME` says."""
    named = [w for b in locks for w in b.words if w in MODELS]
    return f"nets:{named[-1]}" if named else "nets:digits"


def _lock(locks: list[Block], text: str) -> str:
    """What a page says itself, else what the trace of the model would give; empty for `none`."""
    if locks and locks[-1].text:
        return locks[-1].text
    entry = ENTRY.search(text)
    if any("none" in b.words for b in locks) or not entry or entry[1] not in MODELS:
        return ""
    return _lock_of(entry[0])


def _of(path: Path, settings: dict[str, str], locked: bool = False) -> Given:
    try:
        found = findings(path, settings, locked).diagnostics
    except QflowError as error:
        found = error.diagnostics
    return Given(
        frozenset(d.code for d in found), frozenset(d.code for d in found if d.severity == "error")
    )


@functools.cache
def _lock_of(entry: str) -> str:
    return render(Lock(of_entry(entry)))


def _files(needs: list[Block]) -> None:
    for block in (b for b in needs if b.kind == "file"):
        path = Path(block.words[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MEASURED.read_text() if block.words[1:] == ("measured",) else block.text)


@functools.cache
def _prelude() -> Any:
    return compile(explaining.frame_of("python"), "<frame>", "exec")


def _python(page: Page, block: Block) -> Given:
    """What is raised, what is said through logging, and what the example prints."""
    _files(_needs(page, block))
    name = f"<{page.code} {block.role} {page.blocks.index(block)}>"
    # forward functions are read for their source
    lines = block.text.splitlines(keepends=True)
    linecache.cache[name] = (len(block.text), None, lines, name)
    namespace: dict[str, Any] = {"__name__": "example"}
    said = _Said()
    logger = logging.getLogger("qflow")
    level = logger.level
    printed = io.StringIO()
    raised: frozenset[str] = frozenset()
    logger.addHandler(said)
    logger.setLevel(logging.INFO)
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            exec(_prelude(), namespace)
            if "unset" in block.words:
                current._set = None
            try:
                with _without(block):
                    exec(compile(block.text, name, "exec"), namespace)
            except QflowError as error:
                print(error)
                raised = frozenset(d.code for d in error.diagnostics)
    finally:
        logger.removeHandler(said)
        logger.setLevel(level)
        del linecache.cache[name]
    return Given(frozenset(ID.findall("\n".join([printed.getvalue(), *said.lines]))), raised)


def _without(block: Block) -> Any:
    """As where the packages behind `without:` are not installed."""
    hidden = [w.partition(":")[2] for w in block.words if w.startswith("without:")]
    return (
        mock.patch.dict(sys.modules, dict.fromkeys(hidden)) if hidden else contextlib.nullcontext()
    )


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _run(page: Page, block: Block) -> Given:
    """`qflow run` (or `lock`) on the pipeline of the frame, with what the block changes in it."""
    is_code = block.kind == "python"
    text = whole("" if is_code else block.text, explaining.frame_of("qf"))
    verb = "lock" if "trace" in block.words else "run"
    return _pipeline(page, block, text, [f"qflow {verb} x.qf"])


def _script(page: Page, block: Block) -> Given:
    Path("script.py").write_text(block.text)
    return _of(Path("script.py"), {})


def _console(page: Page, block: Block) -> Given:
    """Lines of `qflow ...`, of which the last decides, and `echo "..." >> FILE`."""
    return _pipeline(page, block, explaining.frame_of("qf"), block.text.splitlines())


def _pipeline(page: Page, block: Block, text: str, lines: list[str]) -> Given:
    more = {block.words[0]: block.text} if block.kind == "python" else {}
    project.write(Path(), more)
    if ".safetensors" in text:
        project.write_weights(Path())
    Path("x.qf").write_text(text)
    _files(_needs(page, block))
    try:
        with _without(block):
            return _called(lines)
    finally:
        project.forget()


def _called(lines: list[str]) -> Given:
    printed = io.StringIO()
    code = EXIT.yes
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        for line in lines:
            program, *arguments = shlex.split(line)
            if program == "echo":
                text, _, file = arguments
                Path(file).write_text(Path(file).read_text() + text + "\n")
                project.forget()
                continue
            assert program == "qflow", line
            code = main(arguments)
    found = frozenset(ID.findall(printed.getvalue()))
    ended = () if code in (EXIT.yes, EXIT.no) else (f"exit code {code}: {printed.getvalue()}",)
    return Given(found, frozenset(ended))


def _kind(block: Block) -> str:
    """Files of the pipeline and what is marked so are run."""
    is_file = block.kind == "python" and any(w.endswith(".py") for w in block.words)
    return "run" if is_file or {"run", "trace"} & {*block.words} else block.kind


_RUN = {
    "qf": _qf,
    "yaml": _qf,
    "run": _run,
    "python": _python,
    "script": _script,
    "console": _console,
}
