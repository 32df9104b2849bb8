"""Options of verbs over sweeps: `-m NAME=VALUE,VALUE ...` and `--sweep NAME`."""

import re

import click

_VARIED = re.compile(r"\s*[A-Za-z_][\w.]*\s*=")
_FLAGS = ("-m", "--multirun")
_PIECE = re.compile(r'(?:"[^"]*"|[^,"]|")+')
"""A value of a list: a comma in quotes separates nothing."""


class VariedCommand(click.Command):
    """A verb whose `-m` takes every NAME=VALUE that follows it, as Hydra's does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _spread(args))


def _spread(args: list[str]) -> list[str]:
    """With `-m` before each of the words it covers: `-m a=1,2 b=3` is `-m a=1,2 -m b=3`."""
    found: list[str] = []
    covers = False
    for word in args:
        follows = bool(found) and found[-1] in _FLAGS
        if covers and not follows and _VARIED.match(word):
            found.append(_FLAGS[0])
        elif not follows:
            covers = word in _FLAGS
        found.append(word)
    return found


def _values(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise click.BadParameter(f"`{text}` is not NAME=VALUE,VALUE", context, parameter)
        if name in found:
            raise click.BadParameter(f"`{name}` is given twice", context, parameter)
        found[name] = tuple(v.strip() for v in _PIECE.findall(values) if v.strip())
    return found


def _one(context: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    return given.strip() if given is not None else None


multirun_option = click.option(
    "-m",
    "--multirun",
    "varied",
    multiple=True,
    metavar="NAME=VALUE,VALUE...",
    callback=_values,
    help="Every combination of these values of params; several may follow one `-m`.",
)
"""`varied: dict[str, tuple[str, ...]]`, values as written. Its command is a `VariedCommand`."""

sweep_option = click.option(
    "--sweep",
    metavar="NAME",
    callback=_one,
    help="Every point of a `sweep` block of the file; with `-m`, each once per combination.",
)
"""`sweep: str | None`."""
