"""Reading a source file: UTF-8, with or without a BOM, any line ending, any last line."""

from pathlib import Path

from qflow.diagnostics import Diagnostic, Span, fail


def read_text(path: Path, shown: str | None = None) -> str:
    """The text of a file as an editor shows it: no BOM, line ends as `\\n`.

    `shown` is the path as the user gave it, for messages.
    Raises QflowError: QF302 when there is no such file, QF107 when it is no text.
    """
    name = shown or path.as_posix()
    return decode(read_bytes(path, name), name)


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file. Raises QflowError, as `read_text` does."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise fail(Diagnostic("QF302", f"there is no file `{name}`", help=_help(path))) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise fail(Diagnostic("QF107", f"cannot read `{name}`: {reason}")) from error


def decode(raw: bytes, name: str) -> str:
    """Bytes to text, as `read_text` does. Raises QflowError QF107."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8-sig", errors="replace")
        raise fail(
            Diagnostic(
                "QF107",
                f"`{name}` is not UTF-8: byte {error.start} is 0x{raw[error.start]:02x}",
                at=_end_of(good, name),
                help="save the file as UTF-8",
            )
        ) from error
    return normalize(text)


def normalize(text: str) -> str:
    """Drop a BOM; make every line end `\\n`."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _end_of(text: str, name: str) -> Span:
    lines = normalize(text).split("\n")
    line, column = len(lines), len(lines[-1]) + 1
    return Span(name, line, column, line, column + 1)


def _help(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder `{path.parent.as_posix()}` does not exist either"
    others = sorted(p.name for p in path.parent.glob("*.qf"))
    return f"the folder has {', '.join(f'`{o}`' for o in others[:5])}" if others else ""
