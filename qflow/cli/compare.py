"""compare: lanes of one model in lock step, or two files of tensors under policies."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report, session, wants_color
from qflow.diagnostics import EXIT, Diagnostic, QflowError

LANES = "fake_quant,integer"
_OF_FILES = ("policies", "on_violation", "names", "unstable")
_OF_LANES = ("lanes", "data", "samples", "out", "settings")


@click.command(
    "compare",
    epilog=examples(
        "qflow compare digits.qf",
        "qflow compare digits.qf --lanes float,fake_quant,integer,onnxruntime",
        "qflow compare digits.qf --lanes integer,oracle --samples 64 --format json",
        "qflow compare runs/digits/dump/integer vendor.npz --map names.json",
        'qflow compare a b --policy "cosine >= 0.99" --policy "head.**: exact"',
    ),
)
@file_argument
@click.argument("other", required=False, type=click.Path(path_type=Path))
@click.option(
    "--lanes",
    default=LANES,
    show_default=True,
    metavar="A,B[,C...]",
    help="float, fake_quant, integer, oracle, export.<target> (onnxruntime for export.onnx) or "
    "emulator@export.<target>; each is compared with the one before it.",
)
@click.option("--data", metavar="NAME", help="Data block instead of the one the run is judged on.")
@click.option(
    "--samples", type=click.IntRange(min=1), metavar="N", help="Only the first N samples."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run instead of runs/<name of FILE>.",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="[GLOB:] MEASURE LIMIT",
    help="Of files: exact, absolute <=, relative <=, cosine >=, euclidean >= or sqnr >= a number; "
    "may be repeated, the last one that covers a tensor counts. exact where none does.",
)
@click.option(
    "--on-violation",
    type=click.Choice(["collect", "stop", "warn"]),
    default="collect",
    show_default=True,
    help="Of files: judge all, stop at the first, or only warn.",
)
@click.option(
    "--map",
    "names",
    type=click.Path(path_type=Path),
    metavar="JSON",
    help="Of files: names in FILE to names in OTHER, or the name map of an export.",
)
@click.option(
    "--unstable",
    multiple=True,
    metavar="GLOB",
    help="Of files: leave out tensors whose values have no order; may be repeated.",
)
@shared_options
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    other: Path | None,
    policies: tuple[str, ...],
    on_violation: str,
    names: Path | None,
    unstable: tuple[str, ...],
    lanes: str,
    data: str | None,
    samples: int | None,
    out: Path | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Run FILE as far as it is not done, and compare what its lanes compute, tensor by tensor.

    With OTHER, both are files of tensors: dumps of `qflow dump`, .npz, .npy or .safetensors. They
    are compared under policies; exit code 1 where one does not hold.

    Without it, for each pair: the first tensor that differs, by how many steps of its grid, and the
    cause; then every tensor. Exit code 1 where `integer` and `oracle`, which must be equal, are
    not. With a machine format the findings go to standard output, with `json` the rows as well, and
    everything for people to standard error.
    """
    _check(context, other is not None)
    if other is not None:
        return _files(file, other, policies, on_violation, names, unstable)
    from rich.console import Console as Screen

    from qflow.engine.console import Console
    from qflow.engine.lockstep import lockstep

    for_people, color = output_format == "text", session().color
    waiting: list[Diagnostic] = []

    def screen(stream: IO[str]) -> Screen:
        return Screen(
            file=stream,
            force_terminal=True if color == "always" else None,
            no_color=not wants_color(color, stream),
        )

    def tell(diagnostics: Iterable[Diagnostic]) -> None:
        if for_people:
            report(diagnostics, err=True)
        else:
            waiting.extend(diagnostics)

    wanted = tuple(name.strip() for name in lanes.split(",") if name.strip())
    chosen = (data, samples)
    try:
        found = lockstep(file, settings, out, wanted, chosen, Console(screen(sys.stderr), tell))
    except QflowError as error:
        error.diagnostics = (*waiting, *error.diagnostics)
        raise
    from qflow.engine.parting import as_json, show

    if output_format == "json":
        click.echo(as_json(found, waiting))
    else:
        screen(sys.stdout if for_people else sys.stderr).print(show(found))
        if not for_people:
            report(waiting)
    exact = [c for c in found if set(c.lanes) == {"integer", "oracle"}]
    return EXIT.no if any(c.first for c in exact) else EXIT.yes


def _check(context: click.Context, of_files: bool) -> None:
    """Raises UsageError for options of the other form of the verb: none is ever ignored."""
    default = click.core.ParameterSource.DEFAULT
    for name in _OF_LANES if of_files else _OF_FILES:
        if context.get_parameter_source(name) not in (default, None):
            option = next(p.opts[0] for p in context.command.params if p.name == name)
            what = "lanes of one file" if of_files else "two files of tensors"
            raise click.UsageError(f"`{option}` is for comparing {what}", context)


def _files(
    first: Path,
    second: Path,
    policies: tuple[str, ...],
    on_violation: str,
    names: Path | None,
    unstable: tuple[str, ...],
) -> int:
    from rich.console import Console as Screen

    from qflow.engine.comparing import policy, sides, told

    asked = sides.Asked(policy.read(policies), on_violation, names, unstable)
    found = sides.compare(first, second, asked)
    said = sides.diagnostics(found, on_violation)
    form, color = session().output_format, session().color
    stream = sys.stdout if form == "text" else sys.stderr
    if form == "json":
        click.echo(told.as_json(found, said))
    else:
        screen = Screen(
            file=stream,
            force_terminal=True if color == "always" else None,
            no_color=not wants_color(color, stream),
        )
        screen.print(told.show(found))
        report(said, err=form == "text")
    return EXIT.no if found.violated and on_violation != sides.WARN else EXIT.yes
