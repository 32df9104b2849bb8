"""Options and arguments several verbs share, as decorators."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from qflow import registry
from qflow.cli._report import Session

F = TypeVar("F", bound=Callable[..., Any])

file_argument = click.argument("file", type=click.Path(path_type=Path))
"""One FILE, as `file: Path`. A missing file is a diagnostic of `lang.source.read_text`."""

files_argument = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
"""One or more FILEs, as `files: tuple[Path, ...]`."""


def _settings(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    settings: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"`{text}` is not NAME=VALUE", context, parameter)
        settings[name.strip()] = value.strip()
    return settings


set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_settings,
    help="Give a param of the file another value; may be repeated, the last one counts.",
)
"""`settings: dict[str, str]`, values as written."""


def _remember(attribute: str) -> Callable[[click.Context, click.Parameter, str], str]:
    def callback(context: click.Context, parameter: click.Parameter, value: str) -> str:
        setattr(context.ensure_object(Session), attribute, value)
        return value

    return callback


def formats(*names: str) -> Callable[[F], F]:
    """`--format` with these choices, as `output_format: str`."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(names),
        default="text",
        show_default=True,
        is_eager=True,
        callback=_remember("output_format"),
        help="How findings are printed.",
    )


FINDINGS = registry.names("diagnostics.renderers")
"""Every way to print findings, for verbs that print nothing else."""

format_option = formats(*FINDINGS)

color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=_remember("color"),
    help="Colour in what is printed for people.",
)
"""Gives the verb no parameter; `_report` reads it."""


def shared(*names: str) -> Callable[[F], F]:
    """`--set`, `--format` with these choices, `--color`: gives `settings` and `output_format`."""

    def decorate(function: F) -> F:
        return set_option(formats(*names)(color_option(function)))

    return decorate


shared_options = shared("text", "json", "github")
"""For verbs whose output is their own: no format that would not be one with it."""


def examples(*lines: str) -> str:
    """The epilog of a verb: command lines that work as they stand."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
