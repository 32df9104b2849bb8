"""lock: what the model is and which files it came from, one fact per line, committed with the .qf.

    qflow-lock 2

    code     digits/model.py                     Block   sha256:3f...  ~90d7a3c1

    weights  digits/digits.safetensors           sha256:77...  46213 bytes  ~1c02a3b4

    model    digits.model:digits_net             ~5e00f1aa

    input    image      input   input   [2,1,8,8]  ~9ab2c3d4

    module   stem.conv  Conv2d  conv2d  [2,8,8,8]  weights=72 macs=4608  "1->8 k3 s1"  <- image  ~7f

    output   output.logits  output  output  [2,10]  <- head  ~0b1c2d3e

    end      ~42aa17ee

Inputs, modules and outputs stand in execution order, each with what it reads; everything else is
sorted. How the lines are tied together, and why two branches can be merged: `lock_chain`. A source
file of Python is told per class and function (`code`), for two branches that change different ones.
Format 1 had edges on lines of their own and one digest over all of them; it is read, not written.
"""

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Literal

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.inventory import Inventory
from qflow.plan.lock_chain import END, by_target, chained, reads_of
from qflow.plan.lock_line import Line, module_line, quoted
from qflow.records import dataclass

FIRST = "qflow-lock 2"
OLDER = "qflow-lock 1"
"""First line of the format that is read and no longer written."""


@dataclass(frozen=True, order=True)
class FileFact:
    """A file the model came from, as it was when the lock was written."""

    kind: Literal["file", "weights"]
    path: str
    """Relative to the folder of the .qf file, forward slashes."""
    digest: str
    """`sha256:` and 64 hexadecimal digits."""
    size: int = 0
    """Bytes; known for weights only."""
    part: str = ""
    """Name of the class or function that the digest is of, see `code_parts`; empty: the file."""


@dataclass(frozen=True)
class Lock:
    inventory: Inventory
    files: tuple[FileFact, ...] = ()
    traced: str = ""
    """Digest over what the trace read of the .qf file (`compile.traced`); empty: not known."""


def lock_path(program: Path) -> Path:
    """`digits.qf` -> `digits.qf.lock`, beside it."""
    return program.with_name(program.name + ".lock")


def read(
    path: Path, shown: str | None = None, load: Callable[[Path], bytes] = Path.read_bytes
) -> Lock:
    """The lock of a file; `shown` is the path for messages, `load` opens it.

    Raises QflowError: QF304 when there is none, QF301 when it is damaged.
    """
    from qflow.plan.lock_reader import parse

    name = shown or path.as_posix()
    program = name.removesuffix(".lock")
    try:
        raw = load(path)
    except FileNotFoundError as error:
        raise fail(
            Diagnostic("QF304", f"`{program}` has no lock", help=f"run `qflow lock {program}`")
        ) from error
    return parse(raw.decode("utf-8", errors="replace"), name)


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def structure(lines: Iterable[Line]) -> str:
    """Digest over modules and edges, one line each: a sensitivity table knows its model by it."""
    return digest("".join(" ".join(line) + "\n" for line in lines).encode())


def render(lock: Lock) -> str:
    """The text of a lock; equal locks give equal text on any machine."""
    reads = by_target(lock.inventory.edges)
    lines = [_file_line(f) for f in sorted(lock.files, key=lambda f: (f.kind, f.path, f.part))]
    if lock.traced:
        lines.append(("traced", lock.traced))
    lines.append(("model", quoted(lock.inventory.model)))
    for module in lock.inventory.modules:
        lines.append((*module_line(module), *reads_of(reads.get(module.address, ()))))
    whole = (_padded(line) for line in chained((*lines, END)))
    return "\n\n".join([FIRST, *whole]) + "\n"


def _file_line(fact: FileFact) -> Line:
    if fact.kind == "weights":
        return ("weights", quoted(fact.path), fact.digest, f"{fact.size} bytes")
    if fact.part:
        return ("code", quoted(fact.path), quoted(fact.part), fact.digest)
    return ("file", quoted(fact.path), fact.digest)


# Columns are padded to fixed widths: a longer address must not move the columns of other lines.
_WIDTHS = (7, 34, 16, 14, 16)


def _padded(line: Line) -> str:
    padded = [word.ljust(w) for word, w in zip(line, (*_WIDTHS, *[0] * len(line)), strict=False)]
    return "  ".join(padded).rstrip()


def without_checks(lines: Iterable[str]) -> list[str]:
    """Lines of a lock as facts, for people: no empty lines, no checks."""
    return [re.sub(r"\s+~[0-9a-f]{8}$", "", line) for line in lines if line.strip()]
