"""diff: what a change does to the plan: per address and field, with the line responsible."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from qflow.cli._options import examples, shared
from qflow.cli._report import report, session
from qflow.diagnostics import EXIT, Diagnostic, QflowError
from qflow.records import dataclass

if TYPE_CHECKING:
    from qflow.cli._pairs import Pair
    from qflow.plan.diff import Difference


@click.command(
    "diff",
    epilog=examples(
        "qflow diff origin/main -- digits.qf",
        "qflow diff digits.qf  # against HEAD",
        "qflow diff old.qf new.qf",
        "qflow diff before.json after.json --format json",
        "qflow diff origin/main --format markdown --no-exit-code",
    ),
)
@click.argument("words", nargs=-1, required=True, metavar="[REV|FILE] [FILE]...")
@click.option("--full", is_flag=True, help="Name every address, however many change alike.")
@click.option(
    "--exit-code/--no-exit-code",
    default=True,
    show_default=True,
    help="Whether a difference gives exit code 1.",
)
@shared("text", "markdown", "json")
def command(
    words: tuple[str, ...],
    full: bool,
    exit_code: bool,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Compare plans: those of FILEs in the git revision REV with those of the working tree, or
    those of two FILEs, each a pipeline or a plan that `qflow plan --format json` wrote.

    Of REV alone every pipeline is compared whose files changed. A line that moved is no
    difference. Exit code 0: the same; 1: they differ; 2: not every file has a plan.
    """
    from qflow.cli._pairs import pairs

    done = [_compared(pair, output_format, full) for pair in _separated(pairs(words, settings))]
    if output_format == "json":
        _print_json(done)
    elif not done:
        click.echo(f"no pipeline differs from {words[0]}")
    if any(d.broken for d in done):
        return EXIT.cannot
    return EXIT.no if exit_code and not all(d.same for d in done) else EXIT.yes


@dataclass(frozen=True)
class _Done:
    same: bool
    broken: bool
    """A side has errors; a plan it may have all the same."""
    record: dict[str, Any]


def _separated(pairs: Iterable["Pair"]) -> Iterator["Pair"]:
    """With an empty line between what is printed of two."""
    for number, pair in enumerate(pairs):
        if number and session().output_format != "json":
            click.echo()
        yield pair


def _compared(pair: "Pair", form: str, full: bool) -> _Done:
    """Compare two sides and print what differs; a file without a plan does not stop the others."""
    from qflow.plan.diff import compare

    try:
        before, after = pair.before(), pair.after()
        if before.broken:
            raise QflowError(before.diagnostics, sources=dict(before.sources))
    except QflowError as error:
        if form != "json":
            report(error.diagnostics, error.sources, err=True)
        record = {"file": pair.file, "same": None, "diagnostics": _records(error.diagnostics)}
        return _Done(False, True, record)
    found = compare(before.side, after.side)
    record = {}
    if form == "json":
        from qflow.plan.diff.json import plain

        record = plain(found, pair.file, after.diagnostics)
    else:
        if after.diagnostics:
            report(after.diagnostics, after.sources)
            click.echo()
        click.echo(_rendered(found, pair.file, form, full), nl=False)
    return _Done(found.same, after.broken, record)


def _rendered(found: "Difference", file: str, form: str, full: bool) -> str:
    if form == "markdown":
        from qflow.plan.diff import markdown

        return markdown.render(found, file, full)
    from qflow.plan.diff import text

    return text.render(found, file, full)


def _records(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    from qflow.diagnostics.renderers.json import record

    return [record(d) for d in diagnostics]


def _print_json(done: Iterable[_Done]) -> None:
    from qflow.plan.diff.json import FORMAT_VERSION

    data = {"format_version": FORMAT_VERSION, "files": [d.record for d in done]}
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
