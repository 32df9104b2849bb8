"""flow: values and selectors as YAML on one line."""

import re
from collections.abc import Iterable

from qflow.lang import syntax
from qflow.lang.document import flat
from qflow.lang.printer import statement_of
from qflow.lang.yaml import scalars
from qflow.lang.yaml.values import PARTS, QF

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPED = re.compile(r'["\\\n\t\r\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]')


def quoted(text: str) -> str:
    """A text in double quotes, as every YAML reader understands it."""

    def escape(match: re.Match[str]) -> str:
        character = match.group()
        return _ESCAPES.get(character) or f"\\u{ord(character):04x}"

    return f'"{_ESCAPED.sub(escape, text)}"'


def as_qf(node: syntax.Node) -> str:
    """The text of a node in a .qf file, on one line."""
    return flat(statement_of(node))


def fragment(node: syntax.Node) -> str:
    """The text of a node in a .qf file, in the quotes that leave it readable."""
    text = as_qf(node)
    single = '"' in text and not _ESCAPED.search(text.replace('"', "").replace("\\", ""))
    return f"'{text.replace(chr(39), chr(39) * 2)}'" if single else quoted(text)


def written(node: syntax.Node) -> str:
    """`{qf: ...}`: for the few values that have no form of their own."""
    return f"{{{QF}: {fragment(node)}}}"


def value(node: syntax.Value) -> str:
    match node:
        case syntax.String():
            hidden = scalars.TENSOR.fullmatch(node.value) or scalars.INTERPOLATION.search(
                node.value
            )
            return written(node) if hidden else quoted(node.value)
        case syntax.Number():
            exact = scalars.INTEGER.fullmatch(node.text) or scalars.DECIMAL.fullmatch(node.text)
            plain = exact and not scalars.reads_otherwise(node.text)
            return node.text if plain else written(node)
        case syntax.Name():
            return written(node) if scalars.reads_otherwise(node.value) else node.value
        case syntax.TensorType():
            text = as_qf(node)
            # in quotes, because a bracket ends a plain text inside `{...}`
            return quoted(text) if scalars.TENSOR.fullmatch(text) else written(node)
        case syntax.List():
            return f"[{', '.join(map(value, node.items))}]"
        case syntax.Dict():
            return _dict(node)


def _dict(node: syntax.Dict) -> str:
    names = [name for name, _ in node.entries]
    if len(set(names)) < len(names) or names == [QF]:
        return written(node)
    return mapping((name, value(v)) for name, v in node.entries)


def mapping(entries: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key(name)}: {text}" for name, text in entries) + "}"


def key(name: str) -> str:
    """A key; in quotes where a reader would take it for a truth value or for nothing."""
    return quoted(name) if scalars.reads_otherwise(name) or name in ("true", "false") else name


def fields(
    given: tuple[syntax.Field, ...], taken: tuple[str, ...] = (), qconfig: bool = False
) -> list[tuple[str, str]]:
    """Entries of fields; a name that means something else in its place gets a dot before it."""
    parts = PARTS if qconfig else ()
    return [
        (f".{f.name}" if f.name in taken or _is_part(f, parts) else f.name, value(f.value))
        for f in given
    ]


def _is_part(field: syntax.Field, parts: tuple[str, ...]) -> bool:
    return field.name in parts and isinstance(field.value, syntax.Dict)


def selected(name: str, selector: syntax.Selector) -> list[tuple[str, str]]:
    """Entries of a selector: what it selects under `name`, and `except`."""
    entries = [(name, _atoms(selector.atoms))]
    return entries + ([("except", _atoms(selector.excluded))] if selector.excluded else [])


def _atoms(atoms: tuple[syntax.Atom, ...]) -> str:
    listed = [_atom(a) for a in atoms]
    return listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"


def _atom(atom: syntax.Atom) -> str:
    match atom:
        case syntax.ByName():
            return text(atom.pattern)
        case syntax.ByType():
            return mapping([("type", word(atom.type)), *within(atom.within)])
        case syntax.ByOp():
            return mapping([("op", word(atom.op)), *within(atom.within)])
        case syntax.Call():
            return mapping([("call", fragment(atom))])


def text(given: str) -> str:
    return quoted(given)


def within(pattern: str | None) -> list[tuple[str, str]]:
    return [("in", text(pattern))] if pattern is not None else []


def word(name: str) -> str:
    """A name in a place that takes nothing else: in quotes where readers disagree."""
    return quoted(name) if scalars.reads_otherwise(name) or name in ("true", "false") else name
