"""verdict: what became of a point, in a word that fits a column, and in sentences below."""

from collections.abc import Iterator

from qflow.diagnostics import EXIT
from qflow.sweep.outcome import Outcome


def word(outcome: Outcome) -> str:
    """`ok`, `1 broken` of its asserts, or the id of what it failed with."""
    if outcome.exit_code == EXIT.yes:
        return "ok"
    if is_broken(outcome):
        return f"{max(1, len(outcome.broken))} broken"
    return next(iter(ids(outcome)), f"exit {outcome.exit_code}")


def is_broken(outcome: Outcome) -> bool:
    """Whether it ran to its end, and an assert is false."""
    return outcome.exit_code == EXIT.no


def is_failed(outcome: Outcome) -> bool:
    return outcome.exit_code not in (EXIT.yes, EXIT.no)


def ids(outcome: Outcome) -> tuple[str, ...]:
    """Of its errors, each once, in their order."""
    errors = (d for d in outcome.diagnostics if d.get("severity", "error") == "error")
    return tuple(dict.fromkeys(str(d["code"]) for d in errors if d.get("code")))


def reasons(outcome: Outcome) -> Iterator[str]:
    """A line for each assert that is false, or each error; nothing for a point that is well."""
    if is_broken(outcome):
        yield from (_joined(f"{claim} is false") for claim in outcome.broken)
    if not is_failed(outcome):
        return
    errors = [d for d in outcome.diagnostics if d.get("severity", "error") == "error"]
    yield from (_joined(f"{d.get('code', '')}: {d.get('message', '')}") for d in errors)
    if not errors:
        yield f"exit code {outcome.exit_code}; log.txt in its folder says more"


def one_line(text: str) -> str:
    """Texts come from files: what would break a line, or command a terminal, is escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _joined(text: str) -> str:
    return one_line(" ".join(text.split()))
