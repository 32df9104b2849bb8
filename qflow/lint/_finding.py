"""A rule's finding in one line."""

from qflow.diagnostics import Diagnostic, Span


def warning(
    code: str, message: str, at: Span | None, help: str, *notes: str, label: str = ""
) -> Diagnostic:
    return Diagnostic(code, message, at, label, (), notes, help, "warning")


def listed(addresses: tuple[str, ...] | list[str], most: int = 6) -> str:
    """`a`, `b` and 3 more."""
    shown = ", ".join(f"`{a}`" for a in addresses[:most])
    return shown + (f" and {len(addresses) - most} more" if len(addresses) > most else "")
