"""The command line: one file per verb, found by its name and imported only when it is called."""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
from click.shell_completion import shell_complete

from qflow import __version__, registry
from qflow.cli._report import Session, print_error
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail


class Verbs(click.Group):
    """Each file of this folder that does not start with `_` is a verb and defines `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(registry.names("cli"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in registry.names("cli"):
            return None
        entry = registry.installed("cli").get(cmd_name)
        found: click.Command = (
            entry.load() if entry else import_module(f"qflow.cli.{cmd_name}").command
        )
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in registry.names("cli") or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        near = registry.nearest(args[0], registry.names("cli"))
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise click.UsageError(f"there is no verb `{args[0]}`.{hint}", ctx)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n  qflow check digits.qf\n  qflow run digits.qf --set act=int16",
)
@click.version_option(__version__, "--version", prog_name="qflow")
def group() -> None:
    """Quantize PyTorch models for edge accelerators: reviewable programs, exact integers.

    Exit codes: 0 yes, 1 no, 2 could not be done, 3 a stage failed, 4 a mistake of qflow,
    130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; no exception leaves this function."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if instruction := os.environ.get("_QFLOW_COMPLETE"):
        return shell_complete(group, {}, "qflow", "_QFLOW_COMPLETE", instruction)
    session = Session()
    try:
        return _call(arguments, session)
    except BrokenPipeError:
        _close_pipe()
        return EXIT.cannot
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return EXIT.interrupted
    except Exception as error:
        click.echo(_kept(error, session.crash_folder), err=True)
        return EXIT.bug


def _call(arguments: list[str], session: Session) -> int:
    """The verb's own exit code; what it raises for the user becomes text here."""
    try:
        with group.make_context("qflow", arguments, obj=session) as context:
            code = group.invoke(context)
        sys.stdout.flush()
        return int(code or EXIT.yes)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT.cannot
    except QflowError as error:
        print_error(error, session)
        return error.exit_code
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        print_error(fail(_without_torch(arguments)), session)
        return EXIT.cannot


def _without_torch(arguments: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "QF405",
        f"`qflow {arguments[0]}` needs PyTorch, which is not installed",
        notes=("check, plan, why, diff, fmt, lock --check and explain work without it",),
        help="pip install 'qflow[torch]'",
    )


def _kept(error: Exception, folder: Path | None) -> str:
    """Keep the traceback in `crash.txt` of the run folder, else in a temporary file; say where."""
    summary = f"qflow made a mistake: {type(error).__name__}: {error}"
    text = "".join(traceback.format_exception(error))
    for path in (folder / "crash.txt" if folder else None, None):
        try:
            return f"{summary}\nthe traceback is in {_write(text, path)}; please report it"
        except OSError:
            continue
    return f"{summary}\n{text}"


def _write(text: str, path: Path | None) -> Path:
    if path is None:
        handle, name = tempfile.mkstemp(prefix="qflow-crash-", suffix=".txt")
        os.close(handle)
        path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def _close_pipe() -> None:
    """The reader is gone: point stdout elsewhere so that the interpreter's last flush is silent."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        # stdout is no file of the system (a test, an embedding program): nothing to flush later
        return
    finally:
        os.close(nowhere)
