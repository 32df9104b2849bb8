"""lock: what the model is and which files it came from, one fact per line, committed with the .qf.

    qflow-lock 1
    file     digits/model.py          sha256:3f...
    weights  digits/digits.safetensors  sha256:77...  46213 bytes
    model    digits.model:digits_net  sha256:be...
    input    image  input  input  [2,1,8,8]
    module   stem.conv  Conv2d  conv2d  [2,8,8,8]  weights=72 macs=4608  "1->8 k3 s1"
    output   output.logits  output  output  [2,10]
    edge     image  stem.conv  0

Inputs, modules and outputs stand in execution order; everything else is sorted. The digest of the
`model` line is over the lines below it, spaces apart, so that a bad merge is noticed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.inventory import Inventory
from qflow.plan.lock_line import Line, edge_line, module_line, quoted

FIRST = "qflow-lock 1"


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
    """Digest over the lines below `model`."""
    return digest("".join(" ".join(line) + "\n" for line in lines).encode())


def render(lock: Lock) -> str:
    """The text of a lock; equal locks give equal text on any machine."""
    below = [module_line(m) for m in lock.inventory.modules]
    below += [edge_line(e) for e in sorted(lock.inventory.edges)]
    head = [_file_line(f) for f in sorted(lock.files)]
    if lock.traced:
        head.append(("traced", lock.traced))
    head.append(("model", quoted(lock.inventory.model), structure(below)))
    return "\n".join([FIRST, *(_padded(line) for line in (*head, *below))]) + "\n"


def _file_line(fact: FileFact) -> Line:
    if fact.kind == "weights":
        return ("weights", quoted(fact.path), fact.digest, f"{fact.size} bytes")
    return ("file", quoted(fact.path), fact.digest)


# Columns are padded to fixed widths: a longer address must not move the columns of other lines.
_WIDTHS = (7, 34, 16, 14, 16)


def _padded(line: Line) -> str:
    padded = [word.ljust(w) for word, w in zip(line, (*_WIDTHS, *[0] * len(line)), strict=False)]
    return "  ".join(padded).rstrip()
