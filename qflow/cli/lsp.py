"""lsp: the language server, for editors."""

import os
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec

import click

from qflow.cli._options import examples
from qflow.diagnostics import EXIT, Diagnostic, fail


@click.command("lsp", epilog=examples("qflow lsp"))
def command() -> int:
    """Answer an editor over standard input and output: started by it, not by hand.

    Diagnostics while one types, why a layer is quantized as it is, completion, definitions,
    formatting, rename of a param. Needs no torch. Exit code 1: the editor left without a word.
    """
    if find_spec("pygls") is None:
        raise fail(
            Diagnostic(
                "QF405", "the language server needs pygls", help="run `pip install 'qflow[lsp]'`"
            )
        )
    from qflow.lsp.server import serve

    # what anybody prints must not come between the messages
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out, redirect_stdout(sys.stderr):
        server = serve()
        server.start_io(stdout=out)
    return EXIT.yes if server.dismissed else EXIT.no
