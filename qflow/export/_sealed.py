"""sealed: files that native code reads carry a digest of themselves, checked before it sees them.

Runtimes trust what they load; a damaged file may crash the process that loads it. The digest stands
in the file's own metadata, so that it is still a plain file of its format. It tells damage, not
intent: whoever makes a file on purpose can seal it too.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

MARK: Final = b"qflow.sha256="
_BLANK: Final = b"0" * 64
BLANK: Final = MARK + _BLANK
"""What a writer puts into the metadata; `seal` fills it in."""


def seal(content: bytes) -> bytes:
    """The content with its digest in the one blank it holds."""
    assert content.count(BLANK) == 1, "a sealed file has one digest"
    return content.replace(BLANK, MARK + sha256(content).hexdigest().encode())


def is_sealed(content: bytes) -> bool:
    """Whether the content is what was sealed, every byte of it."""
    start = content.find(MARK)
    if start < 0 or content.find(MARK, start + 1) >= 0:
        return False
    start += len(MARK)
    end = start + len(_BLANK)
    blank = content[:start] + _BLANK + content[end:]
    return content[start:end] == sha256(blank).hexdigest().encode()
