"""doctor: why scales of a checkpoint are 1, and which of its keys do not fit a model."""

from pathlib import Path

import click

from qflow.cli._options import examples, shared_options
from qflow.cli._report import report
from qflow.diagnostics import EXIT


@click.command(
    "doctor",
    epilog=examples(
        "qflow doctor qat.pt --model digits.qf",
        "qflow doctor qat.safetensors --model my_project.models:prepared",
    ),
)
@click.argument("checkpoint", type=click.Path(path_type=Path), metavar="CKPT")
@click.option(
    "--model",
    "named",
    required=True,
    metavar="FILE|ENTRY",
    help="A .qf file, or `package.module:function` that returns the prepared model.",
)
@shared_options
def command(checkpoint: Path, named: str, settings: dict[str, str], output_format: str) -> int:
    """Explain every scale of CKPT that is exactly 1, and every key that does not fit the model.

    CKPT is a .safetensors file or one of plain tensors that torch saved; nothing in it is executed.
    Exit code 1: something is wrong with it.
    """
    from qflow.engine.doctor import examine

    found, keys = examine(checkpoint, named, settings)
    report(found)
    if output_format == "text" and not found:
        click.echo(f"{checkpoint.as_posix()}: {keys} keys, nothing to say")
    return EXIT.no if any(d.severity != "note" for d in found) else EXIT.yes
