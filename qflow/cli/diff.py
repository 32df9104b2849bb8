"""diff: what a change does to the plan: per address and field, with the line responsible."""

import json

import click

from qflow.cli._options import examples, shared
from qflow.cli._report import report
from qflow.diagnostics import EXIT, QflowError


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
    from qflow.plan.diff import compare, markdown, text
    from qflow.plan.diff import json as diff_json

    records, differ, broken, count = [], False, False, 0
    for pair in pairs(words, settings):
        if pair.before.broken:
            raise QflowError(pair.before.diagnostics, sources=dict(pair.before.sources))
        found = compare(pair.before.side, pair.after.side)
        differ |= not found.same
        broken |= pair.after.broken
        if output_format == "json":
            records.append(diff_json.plain(found, pair.file, pair.after.diagnostics))
            continue
        if count:
            click.echo()
        count += 1
        if pair.after.diagnostics:
            report(pair.after.diagnostics, pair.after.sources)
            click.echo()
        render = markdown.render if output_format == "markdown" else text.render
        click.echo(render(found, pair.file, full), nl=False)
    if output_format == "json":
        data = {"format_version": diff_json.FORMAT_VERSION, "files": records}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif not count:
        click.echo(f"no pipeline differs from {words[0]}")
    if broken:
        return EXIT.cannot
    return EXIT.no if differ and exit_code else EXIT.yes
