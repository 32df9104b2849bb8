"""explain: what an id of a finding means, why it matters and what to do, with a short example."""

import difflib
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from qflow.cli._options import color_option, examples
from qflow.cli._report import session, wants_color
from qflow.diagnostics import EXIT, Diagnostic, explaining, fail
from qflow.diagnostics.codes import CODES
from qflow.diagnostics.explaining import Block, Page

_WIDEST = 96
_AROUND = 2
"""Lines of a whole file that are shown around what differs."""
_COLORS = {"code": "1;33", "head": "1", "frame": "1;34", "fail": "31", "mended": "32"}


def _format(context: click.Context, parameter: click.Parameter, value: str) -> str:
    session().output_format = "json" if value == "json" else "text"
    return value


@click.command(
    "explain",
    epilog=examples("qflow explain QF210", "qflow explain", "qflow explain --format json"),
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

    Every example is checked by the tests of qflow: the first one gives the id, the second does not.
    """
    known = [_known(code) for code in codes]
    if output_format == "json":
        data = [_record(code, full=bool(known)) for code in known or CODES]
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    elif output_format == "markdown":
        text = "\n".join(_markdown(code) for code in known) if known else _table()
    else:
        paint = _Paint(wants_color(session().color, sys.stdout))
        text = "\n".join("\n".join(_told(c, paint)) + "\n" for c in known) or _list(paint)
    click.echo(text, nl=False, color=True)
    return EXIT.yes


def _known(word: str) -> str:
    """The id of this spelling: `qf210` and `210` are QF210."""
    code = word.upper() if not word.isdigit() else f"QF{word}"
    if code in CODES:
        return code
    near = _near(code)
    notes = (f"the nearest are {', '.join(f'`{c}` ({CODES[c]})' for c in near)}",) if near else ()
    raise fail(
        Diagnostic(
            "QF110",
            f"there is no id `{word}`",
            notes=notes,
            help="`qflow explain` lists every id",
        )
    )


def _near(code: str) -> list[str]:
    """By number where there is one: neighbours are of one family."""
    number = code.removeprefix("QF")
    if number.isdigit():
        return sorted(CODES, key=lambda c: abs(int(c[2:]) - int(number)))[:3]
    return difflib.get_close_matches(code, CODES, n=3, cutoff=0.6)


class _Paint:
    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, role: str) -> str:
        return f"\x1b[{_COLORS[role]}m{text}\x1b[0m" if self._color and text else text


def _told(code: str, paint: _Paint) -> Iterator[str]:
    """Lines for a person."""
    page = explaining.page(code)
    yield paint(code, "code") + paint(f": {CODES[code]}", "head")
    if page is None:
        return
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for paragraph in page.text.split("\n\n"):
        yield ""
        # rows of a list keep their lines
        rows = paragraph.splitlines() if paragraph.startswith(("- ", "    ")) else [paragraph]
        for row in rows:
            yield textwrap.fill(" ".join(row.split()), max(width, 40)) if rows else ""
    for block in page.examples:
        yield ""
        yield paint(explaining.heading(block), "frame")
        yield from (
            f"{paint('  |', 'frame')} {line}".rstrip() for line in _excerpt(block, page, paint)
        )
    if page.no_example:
        yield ""
        yield textwrap.fill(f"There is no example: {page.no_example}", max(width, 40))


def _excerpt(block: Block, page: Page, paint: _Paint) -> Iterator[str]:
    """Lines of an example; of a whole file those around what differs from its counterpart."""
    lines = block.text.splitlines()
    other = _counterpart(block, page)
    if other is None:
        yield from lines
        return
    matcher = difflib.SequenceMatcher(None, lines, other.text.splitlines(), autojunk=False)
    same: set[int] = set()
    for start, _, size in matcher.get_matching_blocks():
        same |= set(range(start, start + size))
    changed = [start for tag, start, *_ in matcher.get_opcodes() if tag != "equal"]
    near = {
        n
        for c in [*changed, *(i for i in range(len(lines)) if i not in same)]
        for n in range(c - _AROUND, c + _AROUND + 1)
    }
    whole = not lines or not lines[0].startswith("qflow ") or not near
    gap = False
    for number, line in enumerate(lines):
        if whole or number in near:
            yield line if number in same else paint(line, block.role)
            gap = False
        elif not gap:
            yield "..."
            gap = True


def _counterpart(block: Block, page: Page) -> Block | None:
    """The same place among the mended examples, or among those that fail."""
    mine = [b for b in page.examples if b.role == block.role]
    others = [b for b in page.examples if b.role != block.role]
    place = mine.index(block)
    return others[place] if place < len(others) and others[place].kind == block.kind else None


def _list(paint: _Paint) -> str:
    lines = []
    for family, codes in explaining.by_family().items():
        lines += [paint(f"{family}:", "head")]
        lines += [f"  {paint(code, 'code')}  {CODES[code]}" for code in codes]
        lines += [""]
    return "\n".join([*lines, "`qflow explain CODE` says more.", ""])


def _record(code: str, full: bool) -> dict[str, Any]:
    """Every object has the first three keys; those of a page the other three as well."""
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
