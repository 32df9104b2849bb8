"""problem: something wrong with a field of a qconfig, before it is known where it was written."""

from qflow.diagnostics import Diagnostic, Span
from qflow.diagnostics.meant import respelled
from qflow.records import dataclass


@dataclass(frozen=True)
class Problem:
    """Something wrong with one field of a qconfig; the caller knows where the field was written."""

    code: str
    field: str
    message: str
    notes: tuple[str, ...] = ()
    help: str = ""
    word: str = ""
    """A word that is none of those known."""
    known: tuple[str, ...] = ()

    def at(self, span: Span) -> Diagnostic:
        return Diagnostic(
            self.code,
            self.message,
            at=span,
            notes=self.notes,
            help=self.help,
            about=self.word,
            edits=respelled(span, self.word, self.known),
        )
