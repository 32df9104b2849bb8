"""imports: what `use "file.qf" as a` brings: files read, parsed, and merged into one program."""

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PureWindowsPath

from qflow.diagnostics import Diagnostic, Label, QflowError
from qflow.lang import syntax
from qflow.lang.program import Program, program_of
from qflow.lang.qualify import qualified
from qflow.lang.refine import merged, used
from qflow.lang.sources import DISK, Sources
from qflow.records import dataclass

MOST_FILES = 200
"""Imports one program may lead to, each counted as often as it is imported."""
MOST_CHARACTERS = 2_000_000
"""Of all of them together, counted the same way: as many as one file may have."""
TAKEN = ("output", "float", "fake_quant", "integer", "oracle", "emulator", "export")
"""What stands before a dot in a claim: `float.accuracy`, `output.logits`."""
_UNNAMED = ("graph", "quantize", "schedule", "check", "export")


@dataclass(frozen=True)
class Imported:
    """A program with everything it imports."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    """With an error, the program is the file's own, as if it imported nothing."""
    texts: Mapping[str, str]
    """Text of every imported file by the path that spans show."""


def imported(program: Program, sources: Sources = DISK) -> Imported:
    """Read what `program` uses, and what that uses, and so on. Never raises for what they say."""
    if not program.uses:
        return Imported(program, (), {})
    reading = _Reading(sources)
    whole = reading.whole(program, (program.path,))
    found = tuple(reading.found)
    wrong = any(d.severity == "error" for d in found)
    return Imported(program if wrong else used(whole), found, reading.texts)


class _Reading:
    """One walk over a program and all it imports."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._count = 0
        self._size = 0
        self._parsed: dict[str, Program | None] = {}
        self.found: list[Diagnostic] = []
        self.texts: dict[str, str] = {}

    def whole(self, program: Program, chain: tuple[str, ...]) -> Program:
        """`chain`: the files that lead here, this one last."""
        parts: list[tuple[str, Program]] = []
        first: dict[str, syntax.Use] = {}
        files: list[str] = []
        for use in program.uses:
            alias = self._alias(use, first)
            path = self._path(use)
            if alias is None or path is None or not self._counted(use):
                continue
            shown = posixpath.normpath(posixpath.join(posixpath.dirname(program.path), path))
            part = self._part(use, shown, chain)
            if part is not None:
                parts.append((alias, qualified(part, alias, posixpath.dirname(path))))
                files += [path, *parts[-1][1].imported]
                self.found += _left_behind(use, part)
        done, strangers = merged(program, parts, files, first.keys() - {a for a, _ in parts})
        self.found += strangers
        return done

    def _alias(self, use: syntax.Use, first: dict[str, syntax.Use]) -> str | None:
        """The word before the dot: as written, or the name of the file."""
        alias = use.alias or posixpath.basename(use.path).partition(".")[0]
        word = alias.isascii() and alias.isidentifier()
        if not word or alias in TAKEN:
            reason = "stands for what a run computes" if word else "is no word"
            self.found.append(
                Diagnostic(
                    "QF111",
                    f"no file can be called `{alias}`: that {reason}",
                    at=use.path_span or use.span,
                    help=f'write `use "{use.path}" as NAME`',
                )
            )
            return None
        if alias in first:
            also = (Label(first[alias].span, "first here"),)
            message = f"two imported files are called `{alias}`"
            help_ = f'write `use "{use.path}" as NAME` with another name'
            self.found.append(Diagnostic("QF114", message, at=use.span, also=also, help=help_))
            return None
        first[alias] = use
        return alias

    def _path(self, use: syntax.Use) -> str | None:
        """The path from the folder of the importing file, in one form."""
        text = use.path
        if text and "\\" not in text and "\0" not in text:
            if not posixpath.isabs(text) and not PureWindowsPath(text).drive:
                return posixpath.normpath(text)
        self.found.append(
            Diagnostic(
                "QF111",
                "`use` takes a path relative to this file, with forward slashes",
                at=use.path_span or use.span,
                help='write `use "common/npu.qf" as npu`',
            )
        )
        return None

    def _counted(self, use: syntax.Use) -> bool:
        self._count += 1
        if self._count == MOST_FILES + 1:
            message = f"this program leads to more than {MOST_FILES} imports"
            self.found.append(Diagnostic("QF117", message, at=use.span))
        return self._count <= MOST_FILES

    def _fits(self, use: syntax.Use, size: int) -> bool:
        before, self._size = self._size, self._size + size
        if before <= MOST_CHARACTERS < self._size:
            message = f"imported files have more than {MOST_CHARACTERS} characters in all"
            self.found.append(Diagnostic("QF117", message, at=use.span))
        return self._size <= MOST_CHARACTERS

    def _part(self, use: syntax.Use, shown: str, chain: tuple[str, ...]) -> Program | None:
        """The imported program with its own imports; None when something is wrong, and said."""
        if shown in (posixpath.normpath(path) for path in chain):
            self.found.append(_cycle(use, shown, chain))
            return None
        if shown not in self._parsed:
            self._parsed[shown] = self._read(use, shown)
        own = self._parsed[shown]
        if not self._fits(use, len(self.texts.get(shown, ""))):
            return None
        # merged anew each time, so that what is counted is what is done
        return None if own is None else self.whole(own, (*chain, shown))

    def _read(self, use: syntax.Use, shown: str) -> Program | None:
        from qflow.lang.either import parse_file  # here: without `use` it costs nothing

        here = Label(use.span, "imported here")
        try:
            text = self._sources.text(Path(shown), shown)
        except QflowError as error:
            self.found += [
                replace(d, also=(*d.also, here)) if d.at else replace(d, at=use.span)
                for d in error.diagnostics
            ]
            return None
        self.texts[shown] = text
        parsed = parse_file(text, shown)
        self.found += [replace(d, also=(*d.also, here)) for d in parsed.diagnostics]
        return None if parsed.file is None else program_of(parsed.file)


def _cycle(use: syntax.Use, shown: str, chain: tuple[str, ...]) -> Diagnostic:
    names = [posixpath.normpath(path) for path in chain]
    way = [*names[names.index(shown) :], shown]
    return Diagnostic(
        "QF116",
        f"`{shown}` imports itself: {' -> '.join(way)}",
        at=use.span,
        help="move what both need into a third file, and let both use that",
        about=shown,
    )


def _left_behind(use: syntax.Use, part: Program) -> list[Diagnostic]:
    """QF118 for blocks of the imported file that nothing here can name."""
    mine = (part.graphs, part.quantizes, part.schedules, part.checks, part.exports)
    left = [
        (kind, blocks[0].span) for kind, blocks in zip(_UNNAMED, mine, strict=True) if len(blocks)
    ]
    if not left:
        return []
    kinds = ", ".join(f"`{kind}`" for kind, _ in left)
    return [
        Diagnostic(
            "QF118",
            f"only names are imported: {kinds} of `{use.path}` {_has(len(left))} no effect here",
            at=use.span,
            also=tuple(Label(span, "stays in its own file") for _, span in left[:1]),
            help="give rules a name with `rules NAME { ... }` and write `apply` where they belong",
            severity="warning",
            about=use.path,
        )
    ]


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
