"""lock_line: one module or edge as the words of a lock line, and back."""

import json
import re

from qflow.plan.inventory import Edge, Module

Line = tuple[str, ...]

_WORD = re.compile(r'"(?:\\.|[^"\\])*"|[^\s"#]+')
_SPACE = re.compile(r"\s*")
_SHAPE = re.compile(r"\[(?:\d+(?:,\d+)*)?\]")
_COUNT = re.compile(r"(calls|weights|macs)=(\d+)")


class Damaged(Exception):
    """A line that no lock has; the text says what is wrong with it."""


def quoted(word: str) -> str:
    """A word that may hold spaces, quotes or `#`, as one word of a line."""
    return word if _WORD.fullmatch(word) and word[0] != '"' else json.dumps(word)


def split(text: str) -> list[str]:
    """Words of a line, still quoted, up to a comment. Raises Damaged."""
    if '"' not in text and "#" not in text:
        return text.split()
    words = []
    position = _behind_space(text, 0)
    while position < len(text) and text[position] != "#":
        found = _WORD.match(text, position)
        if found is None:
            raise Damaged(f"cannot read it from column {position + 1} on")
        words.append(found[0])
        position = _behind_space(text, found.end())
    return words


def _behind_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def plain(word: str) -> str:
    """The reverse of `quoted`. Raises Damaged."""
    if not word.startswith('"'):
        return word
    try:
        return str(json.loads(word))
    except ValueError as error:
        raise Damaged(f"{word} is no quoted word") from error


def kind_of(module: Module) -> str:
    """The first word of its line."""
    return module.op if module.op in ("input", "output") else "module"


def module_line(module: Module) -> Line:
    """Words of an `input`, `output` or `module` line; counts at their default are left out."""
    counts = [
        f"{name}={value}"
        for name, value, default in (
            ("calls", module.calls, 1),
            ("weights", module.weights, 0),
            ("macs", module.macs, 0),
        )
        if value != default
    ]
    shape = "[" + ",".join(str(n) for n in module.shape) + "]"
    return (
        kind_of(module),
        quoted(module.address),
        quoted(module.type),
        quoted(module.op),
        shape,
        *([" ".join(counts)] if counts else []),
        *(json.dumps(t, ensure_ascii=False) for t in _texts(module)),
    )


def _texts(module: Module) -> tuple[str, ...]:
    """The detail, why the call is float only, its scope; what is empty at the end is left out."""
    texts = [module.detail, module.float_only, module.scope]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def edge_line(edge: Edge) -> Line:
    return ("edge", quoted(edge.source), quoted(edge.target), str(edge.slot))


def module_of(words: list[str]) -> Module:
    """A module from the words after its kind. Raises Damaged."""
    if len(words) < 4:
        raise Damaged("an address, a type, an operator and a shape belong here")
    address, type_, op = (plain(w) for w in words[:3])
    counts = {"calls": 1, "weights": 0, "macs": 0}
    rest = words[4:]
    while rest and (found := _COUNT.fullmatch(rest[0])):
        counts[found[1]] = int(found[2])
        rest = rest[1:]
    if len(rest) > 3 or not all(text.startswith('"') for text in rest):
        raise Damaged(f"`{' '.join(rest)}` is neither a count nor a quoted detail")
    detail, float_only, scope = (*map(plain, rest), "", "", "")[:3]
    shape, (calls, weights, macs) = _shape(words[3]), counts.values()
    return Module(
        address, type_, op, shape, calls, detail, weights, macs, float_only=float_only, scope=scope
    )


def edge_of(words: list[str]) -> Edge:
    """An edge from the words after `edge`. Raises Damaged."""
    if len(words) != 3 or not words[2].isdecimal():
        raise Damaged("a source, a target and an operand number belong here")
    return Edge(plain(words[0]), plain(words[1]), int(words[2]))


def _shape(word: str) -> tuple[int, ...]:
    if not _SHAPE.fullmatch(word):
        raise Damaged(f"`{word}` is no shape such as [2,3,8,8]")
    return tuple(int(n) for n in word[1:-1].split(",") if n)
