"""kept: what was made of files, kept between processes for as long as the files stay the same.

A kept value is found by a digest of the bytes it was made of, so it is never out of date: other
bytes have another name. Nothing depends on finding one: where nothing can be written, or nothing is
to be (`PYTHONDONTWRITEBYTECODE`), it is made every time. It lies in `$XDG_CACHE_HOME/qflow`, else
in `~/.cache/qflow`, and may be deleted at any time.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from qflow import atomic

MOST = 64
"""Files in the folder; when there are more, those go that were written longest ago."""


def made_of(files: Iterable[Path], make: Callable[[], Any], what: str) -> Any:
    """What `make` gives: plain data, made of nothing but these files, its own code among them.

    `what` is a word that tells apart what is made of the same files. Raises OSError for a file that
    cannot be read, and what `make` raises.
    """
    digest = sha256(f"{what} {sys.version_info[:2]}".encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"\0{file.name} {len(content)}\0".encode())
        digest.update(content)
    folder = _folder()
    if folder is None:
        return make()
    place = folder / f"{what}-{digest.hexdigest()[:40]}.json"
    try:
        return json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        # not there, or damaged: the next process finds a good one
        value = make()
    _keep(place, value)
    return value


def _folder() -> Path | None:
    """None where this user has no place for such files."""
    local = os.environ.get("LOCALAPPDATA", "") if os.name == "nt" else ""
    base = Path(os.environ.get("XDG_CACHE_HOME") or local or os.path.expanduser("~/.cache"))
    return base / "qflow" if base.is_absolute() else None


def _keep(place: Path, value: Any) -> None:
    if sys.dont_write_bytecode:
        return
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return
    if json.loads(text) != value:
        # a tuple, or a key that is no word, would come back as something else
        return
    try:
        atomic.write(place, text)
        others = [p for p in place.parent.glob("*.json") if p != place]
        by_age = sorted(others, key=lambda p: p.stat().st_mtime_ns, reverse=True)
        for old in by_age[MOST - 1 :]:
            old.unlink(missing_ok=True)
    except OSError:
        # read-only, full, or another process tidies up: keeping is no duty
        return
