"""A finding in words, for formats that have one text for all of it."""

from collections.abc import Iterable
from unicodedata import category

from qflow.diagnostics import Diagnostic, Severity

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def lines(d: Diagnostic) -> list[str]:
    """The sentence, then label, notes and help, as the excerpt of the text form has them."""
    label = [d.label] if d.label else []
    return [d.message, *label, *d.notes, *([f"help: {d.help}"] if d.help else [])]


def safe(text: str) -> str:
    """Without what moves a cursor or reorders letters; line ends stay."""
    return "".join(c if c == "\n" or _harmless(c) else "?" for c in text)


def _harmless(character: str) -> bool:
    kind = category(character)
    return kind not in ("Cc", "Cs") and not (kind == "Cf" and is_bidi(character))


def is_bidi(character: str) -> bool:
    """Format characters that make a line read in another order than it is."""
    return "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"


def worst_first(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Errors, warnings, notes, each in the order given."""
    return sorted(diagnostics, key=lambda d: SEVERITIES.index(d.severity))
