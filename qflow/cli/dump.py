"""dump: tensors of one model's lanes as files, batch by batch."""

import sys
from pathlib import Path

import click

from qflow.cli._options import examples, file_argument, shared_options
from qflow.cli._report import report, session, wants_color
from qflow.diagnostics import EXIT

MEBIBYTE = 1 << 20


@click.command(
    "dump",
    epilog=examples(
        "qflow dump digits.qf",
        'qflow dump digits.qf --lanes integer,oracle --tensors "block1.**" --samples 64',
        "qflow dump digits.qf --lanes export.onnx --real --format-of-files npz",
    ),
)
@file_argument
@click.option(
    "--lanes",
    default="integer",
    show_default=True,
    metavar="A[,B...]",
    help="float, fake_quant, integer, oracle, export.<target> or emulator@export.<target>.",
)
@click.option(
    "--tensors",
    multiple=True,
    metavar="GLOB",
    help="Only tensors of these addresses; may be repeated.",
)
@click.option("--real", is_flag=True, help="Real values in place of integers.")
@click.option(
    "--format-of-files",
    "form",
    type=click.Choice(["safetensors", "npz"]),
    default="safetensors",
    show_default=True,
    help="What the tensors are written as.",
)
@click.option("--data", metavar="NAME", help="Data block instead of the one the run is judged on.")
@click.option(
    "--samples", type=click.IntRange(min=1), metavar="N", help="Only the first N samples."
)
@click.option(
    "--part",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    metavar="MIB",
    help="Begin another file when one has as many mebibytes: so much is held in memory.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the dumps go, a folder per lane, instead of `dump` in the folder of the run.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run instead of runs/<name of FILE>.",
)
@shared_options
def command(
    file: Path,
    lanes: str,
    tensors: tuple[str, ...],
    real: bool,
    form: str,
    data: str | None,
    samples: int | None,
    part: int,
    to: Path | None,
    out: Path | None,
    settings: dict[str, str],
    output_format: str,
) -> int:
    """Run FILE as far as it is not done, and write what its lanes compute, for `qflow compare`.

    A folder per lane: `dump.json` says which tensor lies on which grid, the files beside it hold
    the tensors of some samples each. A dump that was stopped goes on where it was.
    """
    from rich.console import Console as Screen

    from qflow.engine.console import Console
    from qflow.engine.dump import Asked, dump

    color = session().color
    screen = Screen(
        file=sys.stderr,
        force_terminal=True if color == "always" else None,
        no_color=not wants_color(color, sys.stderr),
    )
    console = Console(screen, lambda found: report(found, err=True))
    names = tuple(dict.fromkeys(name.strip() for name in lanes.split(",") if name.strip()))
    asked = Asked(names, tensors or ("**",), real, form, data, samples, part * MEBIBYTE, to)
    for done in dump(file, settings, out, asked, console):
        index = done.index
        click.echo(
            f"wrote {done.folder.as_posix()}: {len(index.tensors)} tensors of {index.samples} "
            f"samples in {len(index.parts)} files",
            err=True,
        )
    return EXIT.yes
