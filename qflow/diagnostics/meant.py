"""meant: the one known name that a misspelt word stands for, where a tool may write it itself."""

from collections.abc import Iterable

from qflow.diagnostics import Edit, Span

SHORTEST = 3
"""Shorter words are one slip from too many others."""


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known name that is one slip away; None where there is none, or several.

    A slip is a letter too much, too few, another or swapped with the next, or capitals. Never a
    digit: `int7` is as near to `int4` as to `int8`, and a guess would choose the hardware.
    """
    if len(word) < SHORTEST:
        return None
    near = [name for name in known if name != word and _one_slip(word, name)]
    return near[0] if len(near) == 1 else None


def respelled(at: Span, word: str, known: Iterable[str]) -> tuple[Edit, ...]:
    """The edit that writes the name meant, where `at` is the word itself, in quotes or not."""
    width = at.end_column - at.column
    if at.end_line != at.line or width not in (len(word), len(word) + 2):
        return ()
    name = meant(word, known)
    if name is None:
        return ()
    return (Edit(at, name if width == len(word) else f'"{name}"'),)


def spelled(text: str, word: str) -> bool:
    """Whether this is how a word stands in a file, in quotes or not."""
    return text in (word, f'"{word}"')


def _one_slip(word: str, name: str) -> bool:
    if abs(len(word) - len(name)) > 1:
        return False
    if word.lower() == name.lower():
        return True
    at = next((n for n, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), None)
    if at is None:
        return not max(word, name, key=len)[-1].isdigit()
    more, less = word[at:], name[at:]
    if len(word) != len(name):
        longer, shorter = max(more, less, key=len), min(more, less, key=len)
        return longer[1:] == shorter and not longer[0].isdigit()
    if more[1:] == less[1:]:
        return not (more[0].isdigit() or less[0].isdigit())
    swapped = more[:2] == less[1::-1] and more[2:] == less[2:]
    return swapped and not any(c.isdigit() for c in more[:2])
