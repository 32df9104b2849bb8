"""schema: the JSON schema of the YAML form, for editors."""

import json
from pathlib import Path

import click

from qflow import atomic
from qflow.cli._options import color_option, examples, format_option
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail


@click.command(
    "schema",
    epilog=examples(
        "qflow schema",
        "qflow schema --out schema.json",
        "qflow schema --check grammar/schema.json",
    ),
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write nothing; exit 1 if FILE is another schema.",
)
@format_option
@color_option
def command(out: Path | None, check: Path | None, output_format: str) -> int:
    """Print the JSON schema of a program in YAML.

    It names the observers, marches and the like that are installed here, also those of other
    packages. An editor that reads `# yaml-language-server: $schema=schema.json` at the top of a
    YAML file checks and completes by it.
    """
    from qflow.compile.schema import schema
    from qflow.lang.source import read_text

    text = json.dumps(schema(), indent=1) + "\n"
    if check is not None:
        same = read_text(check) == text
        click.echo(f"{check.as_posix()} is {'current' if same else 'stale'}", err=True)
        return EXIT.yes if same else EXIT.no
    if out is None:
        click.echo(text, nl=False)
        return EXIT.yes
    try:
        atomic.write(out, text)
    except OSError as error:
        raise _unwritable(out, error) from error
    click.echo(f"wrote {out.as_posix()}", err=True)
    return EXIT.yes


def _unwritable(out: Path, error: OSError) -> QflowError:
    return fail(Diagnostic("QF316", f"cannot write `{out.as_posix()}`: {error.strerror}"))
