"""composer: YAML text to nodes, from the events of a safe parser; nothing is ever constructed.

Bounded in all that a hostile file can grow: characters, depth, aliases and what they expand to.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang.brackets import Places
from qflow.lang.yaml.nodes import Mapping, Node, Scalar, Sequence

MOST_CHARACTERS = 2_000_000
DEEPEST = 32
MOST_ALIASES = 100
MOST_NODES = 400_000
"""Aliases count with all they stand for."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
"""Also the line ends only YAML knows, so that lines are those an editor shows."""


class Refused(Exception):
    """The text is no YAML that a program can be written in."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass
class _Open:
    """A collection that has begun and not ended."""

    start: int
    is_mapping: bool
    flow: bool
    anchor: str | None
    key: Scalar | None = None
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    seen: dict[str, Span] = field(default_factory=dict)
    size: int = 1


def compose(text: str, path: str) -> tuple[Node | None, list[Diagnostic]]:
    """The only document of a text, None when it is empty; and keys that stand twice (QF144).

    Raises Refused: QF107 for what is no text, QF140 for what is no YAML, QF143 for what a program
    has no use for.
    """
    import yaml

    _check_text(text, path)
    # the same parser in C, ten times as fast, where PyYAML was built with it
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    composer = _Composer(text, path)
    try:
        for event in yaml.parse(text, Loader=loader):
            composer.feed(event)
    except yaml.MarkedYAMLError as error:
        raise Refused(_syntax_error(error, composer)) from error
    except yaml.YAMLError as error:
        at = Span(path, 1, 1, 1, 1)
        raise Refused(Diagnostic("QF140", f"this is no YAML: {error}", at)) from error
    return composer.root, composer.found


def _check_text(text: str, path: str) -> None:
    if len(text) > MOST_CHARACTERS:
        message = f"this file has {len(text)} characters; a program has at most {MOST_CHARACTERS}"
        raise Refused(Diagnostic("QF107", message, at=Span(path, 1, 1, 1, 1)))
    if control := _CONTROL.search(text):
        raise Refused(
            Diagnostic(
                "QF107",
                f"the character U+{ord(control.group()):04X} does not belong in a program",
                at=Places(text).span(path, control.start(), control.end()),
                help="save the file as UTF-8 text, and write the character as an escape",
            )
        )


def _syntax_error(error: Any, composer: "_Composer") -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    at = composer.point(mark.index if mark else 0)
    help_ = ""
    problem = str(error.problem or error.context or "no reason given")
    line = composer.line(at.line)
    before = line[: at.column - 1].rstrip()[-1:]
    if line[at.column - 1 : at.column] == "*" or "alias" in problem:
        help_ = 'a pattern that begins with `*` stands in quotes: "**"'
    elif "\t" in line[: at.column]:
        help_ = "YAML is indented with spaces, never with tabs"
    elif before == ":" or "mapping values" in problem:
        help_ = "text with `: ` in it stands in quotes"
    return Diagnostic("QF140", f"this is no YAML: {problem}", at=at, help=help_)


class _Composer:
    def __init__(self, text: str, path: str) -> None:
        self.root: Node | None = None
        self.found: list[Diagnostic] = []
        self._text = text
        self._path = path
        self._places = Places(text)
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._documents = 0
        self._aliases = 0
        self._nodes = 0

    def span(self, start: int, end: int) -> Span:
        return self._places.span(self._path, start, end)

    def point(self, index: int) -> Span:
        index = min(index, len(self._text))
        return self.span(index, index + 1 if self._text[index : index + 1].strip() else index)

    def line(self, number: int) -> str:
        return self._text.split("\n")[number - 1]

    def feed(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        match type(event).__name__:
            case "DocumentStartEvent":
                self._document(start, end)
            case "ScalarEvent":
                self._refuse_tag(event)
                self._add(self._scalar(event, start, end), 1, event.anchor)
            case "AliasEvent":
                self._alias(event.anchor, start, end)
            case "SequenceStartEvent" | "MappingStartEvent":
                self._refuse_tag(event)
                self._begin(event, start)
            case "SequenceEndEvent" | "MappingEndEvent":
                self._end(start, end)

    def _document(self, start: int, end: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._refused("a second document", start, end, "keep one document in a file")

    def _refused(self, what: str, start: int, end: int, help: str) -> Refused:
        message = f"a program in YAML has no use for {what}"
        return Refused(Diagnostic("QF143", message, at=self.span(start, end), help=help))

    def _refuse_tag(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            start = event.start_mark.index
            raise self._refused(
                f"the tag `{tag}`", start, event.end_mark.index, "write the value without a tag"
            )

    def _scalar(self, event: Any, start: int, end: int) -> Scalar:
        quoted = event.style not in (None, "")
        first: int | None = start
        if event.style in ('"', "'"):
            first = start + 1
        raw = self._text[first : first + len(event.value)] if first is not None else ""
        literal = raw == event.value and "\n" not in raw
        place = self._places.place(first) if literal and first is not None else None
        return Scalar(event.value, quoted, self.span(start, end), place)

    def _alias(self, anchor: str, start: int, end: int) -> None:
        self._aliases += 1
        if anchor not in self._anchors:
            help_ = 'a pattern that begins with `*` stands in quotes: "**"'
            message = f"this is no YAML: there is no anchor `&{anchor}` before it"
            raise Refused(Diagnostic("QF140", message, self.span(start, end), help=help_))
        if self._aliases > MOST_ALIASES:
            text = f"more than {MOST_ALIASES} aliases"
            raise self._refused(text, start, end, "write the values out")
        node, size = self._anchors[anchor]
        self._add(node, size, None, anchored=True)

    def _begin(self, event: Any, start: int) -> None:
        if len(self._open) >= DEEPEST:
            text = f"more than {DEEPEST} levels"
            raise self._refused(text, start, start + 1, "nest less deep")
        mapping = type(event).__name__ == "MappingStartEvent"
        self._open.append(_Open(start, mapping, bool(event.flow_style), event.anchor))

    def _end(self, start: int, end: int) -> None:
        done = self._open.pop()
        last = done.entries[-1][1] if done.entries else None
        last = done.items[-1] if done.items else last
        if done.flow or last is None:
            span = self.span(done.start, end if done.flow else done.start)
        else:
            # the parser says a block ends where the next one begins, behind blanks and comments
            line, column = self._places.place(done.start)
            after = max((last.span.end_line, last.span.end_column), (line, column))
            span = Span(self._path, line, column, *after)
        node: Node = (
            Mapping(tuple(done.entries), span)
            if done.is_mapping
            else Sequence(tuple(done.items), span)
        )
        self._add(node, done.size, done.anchor)

    def _add(self, node: Node, size: int, anchor: str | None, anchored: bool = False) -> None:
        # what stands in a collection was counted when it came, what an alias stands for was not
        self._nodes += size if isinstance(node, Scalar) or anchored else 1
        if self._nodes > MOST_NODES:
            raise Refused(
                Diagnostic(
                    "QF143",
                    f"with its aliases written out this file has more than {MOST_NODES} values",
                    at=node.span,
                )
            )
        if anchor:
            self._anchors[anchor] = node, size
        if not self._open:
            self.root = node
            return
        into = self._open[-1]
        into.size += size
        if not into.is_mapping:
            into.items.append(node)
        elif into.key is None:
            into.key = self._key(node, into)
        else:
            into.entries.append((into.key, node))
            into.key = None

    def _key(self, node: Node, into: _Open) -> Scalar:
        if not isinstance(node, Scalar):
            raise Refused(Diagnostic("QF143", "a key is a word, not a collection", at=node.span))
        if node.text == "<<" and not node.quoted:
            raise Refused(
                Diagnostic(
                    "QF143",
                    "a program in YAML has no use for merge keys",
                    at=node.span,
                    help="write the keys out, or compose files with `python -m qflow.hydra`",
                )
            )
        if first := into.seen.get(node.text):
            self.found.append(
                Diagnostic(
                    "QF144",
                    f"the key `{node.text}` stands twice",
                    at=node.span,
                    also=(Label(first, "first here"),),
                )
            )
        into.seen.setdefault(node.text, node.span)
        return node
