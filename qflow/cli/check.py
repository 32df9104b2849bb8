"""check: whether files are valid: parse, resolve, compile, lint; every problem at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from qflow.cli._options import FINDINGS, examples, files_argument, shared
from qflow.cli._report import report, session
from qflow.diagnostics import EXIT, Diagnostic, QflowError, Span, has_errors
from qflow.diagnostics.codes import CODES


@dataclass
class _Checked:
    """What is known after some of the files."""

    sweeps: tuple[str, ...] | None
    """Those whose points are checked as well; None: all."""
    points: int = 0
    found: list[Diagnostic] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    unreadable: bool = False

    def add(self, path: Path, found: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
        self.found += (_placed(d, path) for d in found)
        self.sources.update(sources)


_BY_FILE = ("github", "sarif")
"""Formats that show a finding with its file; code scanning refuses one that has none."""


def _placed(d: Diagnostic, path: Path) -> Diagnostic:
    """What is about a whole file, such as that it has no lock, stands at its beginning there."""
    if d.at is not None or session().output_format not in _BY_FILE:
        return d
    return replace(d, at=Span(path.as_posix(), 1, 1, 1, 1))


def _ids(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Beginnings of ids, in capitals. A word no id begins with would select nothing for ever."""
    words = tuple(w.strip().upper() for text in given for w in text.split(",") if w.strip())
    for word in words:
        if not any(code.startswith(word) for code in CODES):
            raise click.BadParameter(f"no id begins with `{word}`", context, parameter)
    return words


@click.command(
    "check",
    epilog=examples(
        "qflow check digits.qf",
        "qflow check *.qf --locked --strict",
        "qflow check digits.qf --fix",
        "qflow check digits.qf --sweeps",
        "qflow check train.py --select QF704,QF705",
    ),
)
@files_argument
@click.option("--locked", is_flag=True, help="The lock must be there and fit; for CI.")
@click.option("--strict", is_flag=True, help="Exit 1 also when there are warnings.")
@click.option(
    "--select",
    multiple=True,
    metavar="ID[,ID...]",
    callback=_ids,
    help="Only warnings and notes whose id begins so, such as QF2; may be repeated.",
)
@click.option("--fix", is_flag=True, help="Make the changes that findings bring; show them.")
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="NAME",
    help="Every point of this `sweep` block as well; may be repeated.",
)
@click.option("--sweeps", "every_sweep", is_flag=True, help="Every point of every sweep as well.")
@shared(*FINDINGS)
def command(
    files: tuple[Path, ...],
    locked: bool,
    strict: bool,
    select: tuple[str, ...],
    fix: bool,
    sweeps: tuple[str, ...],
    every_sweep: bool,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Say everything that is wrong with FILES. Runs nothing; needs no torch.

    Without a lock only what needs no model is checked. The Python file of the model is read along,
    and a Python script can be checked itself: as text, for the order of its calls and for what its
    modules do. The comment `# qf: allow QF205 reason`, on a line or above it, allows a warning
    there, and `# qf: allow-file QF205 reason` in the whole file. Errors are always shown. Exit code
    1: errors were found.
    """
    checked = _Checked(None if every_sweep else sweeps)
    for path in dict.fromkeys(files):
        try:
            if fix:
                _fix(path, settings, locked, select)
            _check(path, settings, locked, checked)
        except QflowError as error:
            checked.unreadable = True
            checked.add(path, error.diagnostics, error.sources)
    found = [d for d in checked.found if _selected(d, select)]
    report(found, checked.sources)
    shown = [d for d in found if not d.allowed]
    if output_format == "text" and not shown:
        points = f" and {_count(checked.points, 'point')}" if checked.points else ""
        click.echo(f"{_count(len(files), 'file')}{points} checked, nothing to say")
    if checked.unreadable:
        return EXIT.cannot
    wrong = has_errors(shown) or (strict and any(d.severity == "warning" for d in shown))
    return EXIT.no if wrong else EXIT.yes


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _selected(d: Diagnostic, select: tuple[str, ...]) -> bool:
    """An error may be why a rule saw nothing, so it cannot be left out."""
    return not select or d.severity == "error" or d.code.startswith(select)


def _check(path: Path, settings: dict[str, str], locked: bool, checked: _Checked) -> None:
    if checked.sweeps == ():
        from qflow.lint.findings import findings

        about = findings(path, settings, locked)
    else:
        from qflow.lint.swept import swept

        found = swept(path, checked.sweeps, settings, locked)
        about = found.findings
        checked.points += found.points
    checked.add(path, (*about.diagnostics, *about.allowed), about.sources)


def _fix(path: Path, settings: dict[str, str], locked: bool, select: tuple[str, ...]) -> None:
    from qflow.cli._fixing import show, write
    from qflow.lint.mending import mend

    mended = mend(path, settings, locked, wanted=lambda d: not select or d.code.startswith(select))
    if mended.done:
        write(path, mended.after)
        show(path, mended)
