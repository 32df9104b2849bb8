"""allowing: which findings the comments of the files allow, and what is wrong with the comments."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from qflow import registry
from qflow.diagnostics import Diagnostic, Edit, Label
from qflow.diagnostics.codes import CODES
from qflow.lang.allows import Allow, Allows, Named, has_comments, read, removed

_FORM = "write `# qf: allow QF205 why it is right`"


def marked(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], own: str
) -> tuple[Diagnostic, ...]:
    """The findings, with a reason at each that a comment allows. Never an error.

    `own` is the path of the file that is looked at: what has no place, or a place in a file that
    has no comments, such as a lock, is allowed by its `allow-file`.
    """
    comments = _Comments(texts, own)
    return tuple(_marked(d, comments) for d in diagnostics)


def about_comments(
    found: Iterable[Diagnostic], texts: Mapping[str, str], own: str, complete: bool
) -> tuple[Diagnostic, ...]:
    """QF190 to QF194 about the comments, given what `marked` made of the findings.

    `complete`: everything was looked at, so that an allow nothing needs is one (QF190). Whether
    one is needed is said of `own` alone: of an imported file those who import it know a part each.
    """
    comments = _Comments(texts, own)
    used: set[tuple[Allow, str]] = set()
    refused: dict[tuple[Allow, str], Diagnostic] = {}
    for d in found:
        allow = next(comments.about(d), None)
        if allow is not None and d.severity == "error":
            refused.setdefault((allow, d.code), d)
        elif allow is not None:
            used.add((allow, d.code))
    said: list[Diagnostic] = []
    for path in texts:
        for allow in comments.of(path).comments:
            said += _form(allow)
    for allow in comments.of(own).comments:
        mine = {n.code: refused[allow, n.code] for n in allow.named if (allow, n.code) in refused}
        said += (_refused(n, mine[n.code]) for n in allow.named if n.code in mine)
        if complete and allow.reason:
            idle = [n for n in allow.named if n.code in CODES and (allow, n.code) not in used]
            said += _idle(allow, idle, texts[own])
    return tuple(said)


class _Comments:
    """The comments of every text, each text read once."""

    def __init__(self, texts: Mapping[str, str], own: str) -> None:
        self._texts = texts
        self._own = own
        self._read: dict[str, Allows] = {}

    def of(self, path: str) -> Allows:
        if path not in self._read:
            self._read[path] = read(path, self._texts.get(path, ""))
        return self._read[path]

    def about(self, d: Diagnostic) -> Iterator[Allow]:
        """Comments that allow a finding, the nearest first."""
        if d.at is None or not has_comments(d.at.path):
            return self.of(self._own).about(d.code, None)
        return self.of(d.at.path).about(d.code, d.at.line)


def _marked(d: Diagnostic, comments: _Comments) -> Diagnostic:
    if d.severity == "error" or d.allowed:
        return d
    allow = next(comments.about(d), None)
    return replace(d, allowed=allow.reason) if allow else d


def _form(allow: Allow) -> Iterator[Diagnostic]:
    """What is wrong with a comment whatever the findings are."""
    if not allow.named:
        yield _warning(
            "QF194", "this comment begins `# qf:` and says nothing known", allow, help=_FORM
        )
        return
    if not allow.reason:
        yield _warning(
            "QF191",
            "an allow needs a reason",
            allow,
            notes=("without one it allows nothing",),
            help="say in a few words behind the id why it is right as it is",
        )
    for named in allow.named:
        if named.code not in CODES:
            near = registry.nearest(named.code, tuple(CODES))
            yield Diagnostic(
                "QF193",
                f"there is no finding `{named.code}`",
                at=named.span,
                notes=(f"the nearest: {', '.join(f'`{n}`' for n in near)}",) if near else (),
                severity="warning",
                about=named.code,
            )


def _refused(named: Named, error: Diagnostic) -> Diagnostic:
    return Diagnostic(
        "QF192",
        f"{named.code} is an error here, and a comment allows warnings only",
        at=named.span,
        also=(Label(error.at, "this error"),) if error.at else (),
        help="mend what it says, then delete this comment",
        severity="warning",
        about=named.code,
    )


def _idle(allow: Allow, idle: list[Named], text: str) -> Iterator[Diagnostic]:
    where = "this file" if allow.line is None else "this line"
    for named in idle:
        whole = len(idle) == len(allow.named)
        yield Diagnostic(
            "QF190",
            f"no finding {named.code} of {where} needs this allow",
            at=named.span,
            help="delete the comment" if whole else f"delete `{named.code}`",
            severity="warning",
            about=named.code,
            edits=(Edit(*removed(allow, idle, text)),),
        )


def _warning(
    code: str, message: str, allow: Allow, notes: tuple[str, ...] = (), help: str = ""
) -> Diagnostic:
    return Diagnostic(code, message, at=allow.span, notes=notes, help=help, severity="warning")
