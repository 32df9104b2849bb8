"""refusing: what is said of a model file that cannot be taken."""

from __future__ import annotations

from collections.abc import Iterable

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail


def unreadable(shown: str, error: OSError) -> QflowError:
    """QF302 for a file that cannot be opened."""
    return fail(
        Diagnostic(
            "QF302",
            f"the model file `{shown}` cannot be read: {error.strerror or error}",
            help="correct the path; in a .qf file it is relative to the folder of that file",
        )
    )


def damaged(shown: str, reason: str, *notes: str) -> QflowError:
    """QF362 for a file that is not what its name says; `reason` is a sentence about it."""
    return fail(
        Diagnostic(
            "QF362",
            f"the model file `{shown}` is damaged: {one_line(reason)}",
            notes=notes,
            help="write it again from the model, and compare the sizes where it was copied",
        )
    )


def distrusted(shown: str, reason: str, help_: str = "") -> QflowError:
    """QF363 for a file that holds what could do more than compute."""
    return fail(
        Diagnostic(
            "QF363",
            f"the model file `{shown}` is refused: {one_line(reason)}",
            help=help_ or "write it again from the model with plain tensors and operators alone",
        )
    )


def unknown(shown: str, node: str, reason: str, known: Iterable[str] = ()) -> QflowError:
    """QF364 for a call nobody knows; `node` says which, `reason` ends the sentence."""
    near = registry.nearest(node.rpartition(":")[2], tuple(known))
    return fail(
        Diagnostic(
            "QF364",
            f"`{one_line(node)}` in `{shown}` {one_line(reason)}",
            notes=(f"the nearest: {', '.join(f'`{n}`' for n in near)}",) if near else (),
            help="replace the call in the model and write the file again, or give the model by "
            "`entry`",
        )
    )


def one_line(text: str) -> str:
    """Words of a stranger in a message: printable, on one line, not too many."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in line)[:300]
