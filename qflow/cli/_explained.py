"""A page on an id as people read it: wrapped to the terminal, examples cut to what matters."""

import difflib
import shutil
import textwrap
from collections.abc import Callable, Iterator

from qflow.diagnostics import explaining
from qflow.diagnostics.codes import CODES
from qflow.diagnostics.explaining import Block, Page

Paint = Callable[[str, str], str]
"""Text and its role to the text, in colour or not."""

_LEAST, _WIDEST = 40, 96
_AROUND = 2
"""Lines of a whole file that are shown around what differs."""
_GAP = "..."
_COLORS = {"code": "1;33", "head": "1", "frame": "1;34", "fail": "31", "mended": "32"}


def painted(text: str, role: str) -> str:
    return f"\x1b[{_COLORS[role]}m{text}\x1b[0m" if text else text


def plain(text: str, role: str) -> str:
    return text


def told(code: str, paint: Paint) -> str:
    """Everything on one id; ends with a newline."""
    lines = [paint(code, "code") + paint(f": {CODES[code]}", "head")]
    if page := explaining.page(code):
        lines += _page(page, paint)
    return "\n".join(lines) + "\n"


def listed(paint: Paint) -> str:
    """Every id by family."""
    lines = []
    for family, codes in explaining.by_family().items():
        lines += [paint(f"{family}:", "head")]
        lines += [f"  {paint(code, 'code')}  {CODES[code]}" for code in codes]
        lines += [""]
    return "\n".join([*lines, "`qflow explain CODE` says more.", ""])


def _page(page: Page, paint: Paint) -> Iterator[str]:
    width = max(_LEAST, min(shutil.get_terminal_size().columns, _WIDEST))
    bar = paint("  |", "frame")
    for paragraph in page.text.split("\n\n"):
        yield ""
        yield textwrap.fill(" ".join(paragraph.split()), width)
    for block in page.examples:
        yield ""
        yield paint(explaining.heading(block), "frame")
        yield from (f"{bar} {line}".rstrip() for line in excerpt(block, page, paint))
    if page.no_example:
        yield ""
        yield textwrap.fill(f"There is no example: {page.no_example}", width)


def excerpt(block: Block, page: Page, paint: Paint) -> Iterator[str]:
    """An example, coloured where its counterpart differs; of a whole file what is near to that."""
    lines = block.text.splitlines()
    changed, places = _difference(lines, _counterpart(block, page))
    near = {n for place in places for n in range(place - _AROUND, place + _AROUND + 1)}
    cut = bool(near) and lines[0].startswith("qflow ")
    shown = None
    for number, line in enumerate(lines):
        if cut and number not in near:
            if shown != _GAP:
                yield _GAP
            shown = _GAP
            continue
        shown = line
        yield paint(line, block.role) if number in changed else line


def _difference(lines: list[str], other: list[str] | None) -> tuple[set[int], set[int]]:
    """Lines that the other has not got, and places where one of them goes on without the other."""
    if other is None:
        return set(), set()
    matcher = difflib.SequenceMatcher(None, lines, other, autojunk=False)
    apart = [(a, b) for tag, a, b, *_ in matcher.get_opcodes() if tag != "equal"]
    changed = {n for first, last in apart for n in range(first, last)}
    return changed, changed | {first for first, _ in apart}


def _counterpart(block: Block, page: Page) -> list[str] | None:
    """What stands at the same place among the examples of the other role."""
    mine = [b for b in page.examples if b.role == block.role]
    others = [b for b in page.examples if b.role != block.role]
    place = mine.index(block)
    if place >= len(others) or others[place].kind != block.kind:
        return None
    return others[place].text.splitlines()
