"""lock: trace the model of a file and write what it is beside the file, to be committed."""

from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.diagnostics import EXIT


@click.command("lock", epilog=examples("qflow lock digits.qf", "qflow lock digits.qf --check"))
@file_argument
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when the lock is stale.")
@shared_options
def command(file: Path, check: bool, settings: dict[str, str], output_format: str) -> int:
    """Write FILE.lock: modules, edges and shapes of the model, and digests of its files."""
    from qflow.engine.files import write
    from qflow.engine.lock import difference, make_lock
    from qflow.plan.lock import lock_path, render

    lock = make_lock(file, settings)
    path = lock_path(file)
    text = render(lock)
    changed = difference(path, text)
    people = output_format == "text"
    if not changed:
        click.echo(f"{path.as_posix()} is up to date", err=not people)
        return EXIT.yes
    if check:
        for line in changed:
            click.echo(line, err=not people)
        click.echo(
            f"{path.as_posix()} is stale: run `qflow lock {file.as_posix()}`", err=not people
        )
        return EXIT.no
    write(path, text)
    modules = len(lock.inventory.modules)
    click.echo(f"wrote {path.as_posix()}: {modules} modules", err=not people)
    return EXIT.yes
