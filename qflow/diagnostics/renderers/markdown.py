"""markdown: a table with the excerpts folded below it, for a comment of a pull request.

Text of a file under review is shown to people who trust what they read there, so none of it is
ever markup: outside of code every sign that could be one is written as a character reference.
"""

import re
from collections.abc import Iterable, Mapping

from qflow.diagnostics import Diagnostic
from qflow.diagnostics.renderers._places import Repository
from qflow.diagnostics.renderers._words import safe, worst_first
from qflow.diagnostics.renderers.text import Text, count

MOST_ROWS = 100
MOST_CHARACTERS = 50_000
"""A comment on GitHub holds 65,536; the excerpts stop here."""

_MARKUP = re.compile(r"[^\w \-,;'\"/()=%?.]|_|(?i:(?<=www)\.)")
_CODE = re.compile(r"`([^`\n]+)`")
_LINKING = re.compile(r"&#(?:64|35);")
"""`@` and `#` make a link of the next word even as references: something invisible goes between."""


class Markdown:
    """The worst first; what a comment in the file allows is counted and folded away."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """A heading with the count also where nothing was found, so that a comment says so."""
        every = tuple(diagnostics)
        shown = worst_first(d for d in every if not d.allowed)
        allowed = [d for d in every if d.allowed]
        repository = Repository()
        parts = [f"### qflow: {count(shown) or 'nothing to say'}"]
        if shown:
            parts.append(_table(shown, repository))
            parts += _excerpts(shown[:MOST_ROWS], sources, repository)
        if allowed:
            parts.append(_allowed(allowed, repository))
        # a heading behind `</details>` is one only after an empty line
        return "\n\n".join(parts) + "\n\n"


def inline(text: str) -> str:
    """A sentence with `code` in it as Markdown that shows just that, in a table as well."""
    parts = _CODE.split(text)
    return "".join(code(p) if n % 2 else _plain(p) for n, p in enumerate(parts))


def _plain(text: str) -> str:
    return _LINKING.sub(r"\g<0>&#8203;", _escaped(text))


def code(text: str) -> str:
    """Text as code, whatever it holds."""
    return f"<code>{_escaped(text)}</code>"


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda m: f"&#{ord(m.group())};", safe(text).replace("\n", " "))


def fenced(text: str) -> str:
    """A block that shows the text as it is, whatever quotes are in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _where(d: Diagnostic, repository: Repository) -> str:
    return code(f"{repository.shown(d.at.path)}:{d.at.line}") if d.at else ""


def _table(found: list[Diagnostic], repository: Repository) -> str:
    rows = [
        f"| {d.severity} | {d.code} | {_where(d, repository)} | {inline(d.message)} |"
        for d in found[:MOST_ROWS]
    ]
    if more := len(found) - MOST_ROWS:
        rows += [f"| | | | and {more} more |"] if more > 0 else []
    return "\n".join(["| | id | where | what |", "|---|---|---|---|", *rows])


def _excerpts(
    found: list[Diagnostic], sources: Mapping[str, str], repository: Repository
) -> Iterable[str]:
    """Each finding as the terminal shows it, folded, as many as fit."""
    left = MOST_CHARACTERS
    for d in found:
        told = safe(Text().render([d], sources).rpartition("\n\n")[0])
        place = f" at {_where(d, repository)}" if d.at else ""
        head = f"<summary>{d.code}{place}: {inline(d.message)}</summary>"
        folded = f"<details>{head}\n\n{fenced(told)}\n\n</details>"
        left -= len(folded)
        if left < 0:
            yield "More excerpts are in the output of `qflow check`."
            return
        yield folded


def _allowed(found: list[Diagnostic], repository: Repository) -> str:
    rows = [
        f"| {d.code} | {_where(d, repository)} | {inline(d.message)} | {inline(d.allowed)} |"
        for d in found[:MOST_ROWS]
    ]
    plural = "s are" if len(found) > 1 else " is"
    head = f"<summary>{len(found)} finding{plural} allowed by comments</summary>"
    table = "\n".join(["| id | where | what | why |", "|---|---|---|---|", *rows])
    return f"<details>{head}\n\n{table}\n\n</details>"
