"""explain: what an id of a finding means, why it matters and what to do, with a short example."""

import difflib
import json
import sys
from typing import Any

import click

from qflow.cli import _explained
from qflow.cli._options import color_option, examples
from qflow.cli._report import session, wants_color
from qflow.diagnostics import EXIT, Diagnostic, explaining, fail
from qflow.diagnostics.codes import CODES

FORMAT_VERSION = "1.0"
"""Of the JSON: a new first number where something goes or changes its meaning."""


def _format(context: click.Context, parameter: click.Parameter, value: str) -> str:
    # how an unknown code is reported
    session().output_format = "json" if value == "json" else "text"
    return value


@click.command(
    "explain",
    epilog=examples("qflow explain QF210", "qflow explain", "qflow explain QF210 --format json"),
)
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    is_eager=True,
    callback=_format,
    help="How the page is printed.",
)
@color_option
def command(codes: tuple[str, ...], output_format: str) -> int:
    """Say what each CODE, such as QF210, stands for; without one, list them all.

    The examples are run by the tests of qflow: the first gives the id, the second does not.
    """
    known = [_known(code) for code in codes]
    if output_format == "json":
        found = [_record(code, full=bool(known)) for code in known or CODES]
        data = {"format_version": FORMAT_VERSION, "ids": found}
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    elif output_format == "markdown":
        text = "\n".join(map(_markdown, known)) if known else _table()
    else:
        colored = wants_color(session().color, sys.stdout)
        paint = _explained.painted if colored else _explained.plain
        text = "\n".join(_explained.told(c, paint) for c in known) or _explained.listed(paint)
    click.echo(text, nl=False, color=True)
    return EXIT.yes


def _known(word: str) -> str:
    """The id of this spelling: `qf210` and `210` are QF210. Raises QflowError QF110."""
    code = f"QF{word}" if word.isdecimal() else word.upper()
    if code in CODES:
        return code
    near = ", ".join(f"`{c}` ({CODES[c]})" for c in _near(code))
    raise fail(
        Diagnostic(
            "QF110",
            f"there is no id `{word}`",
            notes=(f"the nearest: {near}",) if near else (),
            help="`qflow explain` lists every id",
        )
    )


def _near(code: str) -> list[str]:
    """By number where there is one: neighbours are of one family."""
    number = code.removeprefix("QF")
    if number.isdecimal() and len(number) < 9:
        return sorted(CODES, key=lambda c: abs(int(c[2:]) - int(number)))[:3]
    return difflib.get_close_matches(code, CODES, n=3, cutoff=0.6)


def _record(code: str, full: bool) -> dict[str, Any]:
    """Every object has the first three keys; in full, what its page says as well."""
    family = next(name for name, codes in explaining.by_family().items() if code in codes)
    record: dict[str, Any] = {"code": code, "title": CODES[code], "family": family}
    page = explaining.page(code) if full else None
    if page is None:
        return record
    blocks = [
        {"kind": b.kind, "role": b.role, "words": list(b.words), "text": b.text}
        for b in page.blocks
    ]
    return {**record, "text": page.text, "blocks": blocks, "no_example": page.no_example}


def _markdown(code: str) -> str:
    return explaining.source(code) if explaining.page(code) else f"# {code}: {CODES[code]}\n"


def _table() -> str:
    rows = [f"| {code} | {meaning} |\n" for code, meaning in CODES.items()]
    return "| id | stands for |\n|---|---|\n" + "".join(rows)
