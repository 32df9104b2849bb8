"""overlay: what Hydra composed as YAML nodes: its values, at their places in the files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from qflow.diagnostics import Span
from qflow.lang.yaml.items import is_declaration
from qflow.lang.yaml.nodes import EMPTY, Node, Scalar, Sequence
from qflow.lang.yaml.nodes import Mapping as Tree
from qflow.lang.yaml.scalars import DECIMAL, INTEGER, INTERPOLATION, reads_otherwise


@dataclass
class Overlay:
    """Nodes of a composition; `settings` are the params whose value was given over the declared."""

    start: Span
    """Where a value stands that no file has: it came from the command line, or from code."""
    settings: dict[str, str] = field(default_factory=dict)
    given: Mapping[str, Span] = field(default_factory=dict)
    """Where the command line gives a value, by its whole key."""

    def program(self, data: dict[Any, Any], origin: Node | None, at: str = "") -> Tree:
        """The document: params keep their declarations, keys without a value are left out."""
        tree = origin if isinstance(origin, Tree) else None
        entries: list[tuple[Scalar, Node]] = []
        for key, value in data.items():
            if value is None and (tree is None or tree.get(str(key)) is None):
                # the typed config has every key, also those nobody gave
                continue
            name, old = self._key(key, tree, at)
            if key == "params" and isinstance(value, dict):
                entries.append((name, self._params(value, old, _below(at, key))))
            elif value != {} or old is not None:
                entries.append((name, self.node(value, old, name.span, _below(at, key))))
        return Tree(tuple(entries), tree.span if tree else self.start)

    def _params(self, data: dict[Any, Any], origin: Node | None, path: str) -> Tree:
        tree = origin if isinstance(origin, Tree) else None
        entries: list[tuple[Scalar, Node]] = []
        for key, value in data.items():
            name, old = self._key(key, tree, path)
            if old is not None and _is_given(value, old):
                self.settings[str(key)] = shown(value)
                entries.append((name, old))
            else:
                entries.append((name, self.node(value, old, name.span, _below(path, key))))
        return Tree(tuple(entries), tree.span if tree else self.start)

    def _key(self, key: Any, tree: Tree | None, path: str) -> tuple[Scalar, Node | None]:
        """The key as a file has it, and what stands there."""
        entries = tree.entries if tree else ()
        for name, value in entries:
            if name.text == key or (not isinstance(key, str) and _plain(name) == key):
                return name, value
        at = self._told(_below(path, key)) or (tree.span if tree else self.start)
        # a key that is no text is one that YAML took for something else: `on`, `1`
        return Scalar(shown(key), False, at), None

    def _told(self, path: str) -> Span | None:
        """Where the command line gives a value at a key, or below it."""
        below = (at for given, at in self.given.items() if given.startswith(f"{path}."))
        return self.given.get(path) or next(below, None)

    def node(self, data: Any, origin: Node | None, at: Span, path: str) -> Node:
        """A value at its place; `at` is the place of what holds it, `path` its whole key."""
        if path in self.given and (origin is None or not _unchanged(data, origin)):
            quotes = origin if isinstance(origin, Scalar) else None
            at, origin = self.given[path], None
            if not isinstance(data, (dict, list)):
                return replace(scalar(data, quotes, at), span=at, start=None)
        if isinstance(data, dict):
            tree = origin if isinstance(origin, Tree) else None
            keyed = [(*self._key(k, tree, path), _below(path, k), v) for k, v in data.items()]
            entries = tuple((k, self.node(v, old, k.span, p)) for k, old, p, v in keyed)
            return Tree(entries, tree.span if tree else at)
        if isinstance(data, list):
            listed = origin.items if isinstance(origin, Sequence) else ()
            olds: list[Node | None] = [*listed] if len(listed) == len(data) else [None] * len(data)
            span = origin.span if isinstance(origin, Sequence) else at
            items = tuple(self.node(v, old, span, "") for v, old in zip(data, olds, strict=True))
            return Sequence(items, span)
        return scalar(data, origin if isinstance(origin, Scalar) else None, at)


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _unchanged(data: Any, origin: Node) -> bool:
    return isinstance(origin, Scalar) and _same(data, origin)


def scalar(data: Any, origin: Scalar | None, at: Span) -> Scalar:
    """A single value; one given from outside is of the kind of the one it replaces."""
    if origin is not None and not INTERPOLATION.search(origin.text) and _same(data, origin):
        return origin
    text = shown(data)
    quoted = isinstance(data, str) and _stays_text(text, origin)
    return Scalar(text, quoted, origin.span if origin else _first(at))


def _stays_text(text: str, origin: Scalar | None) -> bool:
    number = INTEGER.fullmatch(text) or DECIMAL.fullmatch(text)
    other = reads_otherwise(text) or bool(number) or text in ("true", "false")
    return other or bool(INTERPOLATION.search(text)) or (origin is not None and origin.quoted)


def _is_given(value: Any, origin: Node) -> bool:
    """Whether a param has another value than its declaration says."""
    if isinstance(value, (dict, list)):
        return False
    if is_declaration(origin):
        return True
    filled_in = isinstance(origin, Scalar) and INTERPOLATION.search(origin.text)
    return isinstance(origin, Scalar) and not filled_in and not _same(value, origin)


def _same(data: Any, origin: Scalar) -> bool:
    if origin.quoted:
        return isinstance(data, str) and data == origin.text
    return data == origin.text if isinstance(data, str) else _plain(origin) == data


def _plain(node: Scalar) -> Any:
    """What OmegaConf makes of a plain scalar."""
    if node.quoted:
        return node.text
    import yaml

    if node.text in EMPTY:
        return None
    if DECIMAL.fullmatch(node.text):
        return float(node.text)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(node.text, Loader=loader)
    except (yaml.YAMLError, ValueError):
        return node.text


def shown(data: Any) -> str:
    """A value as text, as the language writes it."""
    if data is None:
        return ""
    if isinstance(data, bool):
        return "true" if data else "false"
    return repr(data) if isinstance(data, float) else str(data)


def _first(at: Span) -> Span:
    return Span(at.path, at.line, at.column, at.line, at.column + 1)
