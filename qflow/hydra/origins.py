"""origins: every file of a composition, with the places of its values, merged as Hydra does.

The result is only asked where a value stands and how it was written; what it is, Hydra says.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources as packages
from pathlib import Path
from typing import Any

from qflow import resources
from qflow.diagnostics import QflowError
from qflow.hydra import mount
from qflow.lang.source import read_text
from qflow.lang.yaml.composer import Refused, compose
from qflow.lang.yaml.nodes import Mapping as Tree
from qflow.lang.yaml.nodes import Node, Scalar


@dataclass(frozen=True)
class Origins:
    """Where the values of a composition come from."""

    root: Tree | None = None
    """None when no file is known."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By the path that spans show."""

    def at(self, path: str) -> Node | None:
        """The node of a key such as `qflow`; the root for the empty one."""
        node: Node | None = self.root
        for part in path.split(".") if path else ():
            node = node.get(part) if isinstance(node, Tree) else None
        return node


def of(defaults: Iterable[Any], sources: Iterable[Any]) -> Origins:
    """From Hydra's list of configs in the order they are merged, and where it looks for them."""
    places = [(str(s.schema), str(s.path)) for s in sources]
    root: Tree | None = None
    texts: dict[str, str] = {}
    for default in defaults:
        name = str(default.config_path or "")
        path = _file(name, places) if name and not name.startswith("hydra/") else None
        if path is None:
            continue
        shown = _shown(path)
        node = _read(path, shown, texts)
        if isinstance(node, Tree):
            placed = _placed(_program_of(node), _package(default.package))
            root = placed if root is None else merge(root, placed)
    return Origins(root, texts)


def _package(package: str | None) -> str:
    return "" if package in (None, "_global_") else str(package).removeprefix("_global_.")


def _file(name: str, places: list[tuple[str, str]]) -> Path | None:
    """The file Hydra read a config from: the first of its sources that has it."""
    for schema, path in places:
        found = _in(schema, path, name)
        if found is not None and found.is_file():
            return found
    return None


def _in(schema: str, path: str, name: str) -> Path | None:
    name = name if name.endswith(".yaml") else f"{name}.yaml"
    if schema == "file":
        return Path(path, name)
    if schema == mount.SCHEME:
        return mount.file_of(name)
    if schema == "pkg":
        package, *inner = path.split("/")
        try:
            return Path(str(packages.files(package).joinpath("/".join([*inner, name]))))
        except (ModuleNotFoundError, TypeError, ValueError):
            # what no file stands for has no place
            return None
    return None


def _shown(path: Path) -> str:
    """As a reader may find it: from the current folder, or as a part of qflow."""
    own = resources.folder("conf").resolve()
    resolved = path.resolve()
    if resolved.is_relative_to(own):
        return f"qflow/conf/{resolved.relative_to(own).as_posix()}"
    if resolved.is_relative_to(Path.cwd().resolve()):
        return os.path.relpath(resolved, Path.cwd().resolve()).replace(os.sep, "/")
    return path.as_posix()


def _read(path: Path, shown: str, texts: dict[str, str]) -> Node | None:
    """None where the file cannot be read this way: Hydra has read it, and that counts."""
    try:
        text = read_text(path, shown)
        node, _ = compose(text, shown)
    except (QflowError, Refused):
        return None
    texts[shown] = text
    return node


def _program_of(node: Tree) -> Tree:
    return Tree(tuple((k, v) for k, v in node.entries if k.text != "defaults"), node.span)


def _placed(node: Tree, package: str) -> Tree:
    for part in reversed(package.split(".") if package else ()):
        node = Tree(((Scalar(part, False, node.span), node),), node.span)
    return node


def merge(first: Tree, second: Tree) -> Tree:
    """Keys of both, mappings merged, all else replaced; keys stay where they stood first."""
    return Tree(tuple(_merged(first, second)), second.span)


def _merged(first: Tree, second: Tree) -> Iterator[tuple[Scalar, Node]]:
    for key, old in first.entries:
        new = second.get(key.text)
        if new is None:
            yield key, old
        elif isinstance(old, Tree) and isinstance(new, Tree):
            yield key, merge(old, new)
        else:
            yield next(k for k, _ in second.entries if k.text == key.text), new
    yield from ((k, v) for k, v in second.entries if first.get(k.text) is None)
