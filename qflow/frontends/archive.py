"""archive: the zip files torch writes, read member by member before torch sees them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from qflow.frontends.refusing import damaged, unreadable

_BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError),
    *(NotImplementedError, RuntimeError, OSError, LookupError, OverflowError),
)
"""What a damaged zip file makes Python's reader raise."""

_MEMBERS = 200_000
_PACKED = 256 << 20
"""Bytes that packed members may unpack to: torch packs the text of code, and nothing else."""


def members(path: Path, shown: str) -> Mapping[str, bytes]:
    """Every member by its name below the archive's one folder, each checked against its sum.

    Raises QflowError: QF302 for a file that cannot be opened; QF362 for one that is no such
    archive, is damaged, unpacks to too much, or names a place outside of itself.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return _read(archive, shown, size)
    except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise damaged(shown, f"it is no zip archive: {error}") from error
    except OSError as error:
        if path.is_file():
            raise damaged(shown, f"its archive is damaged: {error}") from error
        raise unreadable(shown, error) from error
    except _BROKEN as error:
        raise damaged(shown, f"its archive is damaged: {error}") from error


def _read(archive: zipfile.ZipFile, shown: str, size: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    entries = archive.infolist()
    packed = sum(e.file_size for e in entries if e.compress_type != zipfile.ZIP_STORED)
    if len(entries) > _MEMBERS or packed > _PACKED:
        raise damaged(shown, "its archive holds more than a model does")
    if sum(e.file_size for e in entries) - packed > size:
        raise damaged(shown, "its archive claims to hold more than it does")
    folders = {e.filename.partition("/")[0] for e in entries}
    if len(folders) != 1:
        raise damaged(shown, "its archive holds more than the one folder torch writes")
    for entry in entries:
        name = entry.filename.partition("/")[2]
        parts = name.split("/")
        if not name or ".." in parts or "" in parts[:-1] or "\\" in name or name in found:
            raise damaged(shown, f"its archive names a member `{_plain(entry.filename)}`")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise damaged(shown, f"its member `{_plain(name)}` is packed as torch never does")
        # reading to the end checks the sum
        found[name] = archive.read(entry)
    return found


def _plain(name: str) -> str:
    """A name of a stranger in a message: short, on one line."""
    return "".join(c if c.isprintable() and c != "`" else "?" for c in name)[:80]
