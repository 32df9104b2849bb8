"""returned: results as the classes the model makes them: ordered, or with attributes.

A graph holds plain dictionaries; the code around it makes of them what the model returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from torch import fx
from torch.fx.graph import CodeGen

from qflow.tracing.results import Path

_MAKE, _KIND = "_returned_as", "_returned_kind_"


def kinds_of(result: Any, path: Path = ()) -> dict[Path, type[Any]]:
    """Where a result holds mappings that are no plain dictionaries, and of which class."""
    return dict(_kinds(result, path))


def keep_kinds(module: fx.GraphModule, kinds: Mapping[Path, type[Any]]) -> None:
    """Let the code of a traced module return these classes."""
    if kinds:
        module.graph.set_codegen(_Returns(dict(kinds)))
        module.recompile()


def returned(value: Any, kinds: Mapping[Path, type[Any]], path: Path = ()) -> Any:
    """A result of plain containers with its mappings as the classes they were."""
    if isinstance(value, Mapping):
        parts = {k: returned(v, kinds, (*path, k)) for k, v in value.items()}
        return _made(kinds[path], parts) if path in kinds else parts
    if isinstance(value, (tuple, list)):
        items = [returned(v, kinds, (*path, i)) for i, v in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


class _Returns(CodeGen):  # type: ignore[misc]
    def __init__(self, kinds: dict[Path, type[Any]]) -> None:
        super().__init__()
        self._kinds = kinds

    def generate_output(self, *args: Any, **settings: Any) -> str:
        plain = super().generate_output(*args, **settings).removeprefix("return ")
        kinds = ", ".join(f"{path!r}: {_KIND}{i}" for i, path in enumerate(self._kinds))
        return f"return {_MAKE}({plain}, {{{kinds}}})"

    def process_outputs(self, outputs: Any) -> Any:
        return returned(outputs, self._kinds)

    def additional_globals(self) -> list[tuple[str, Any]]:
        kinds = [(f"{_KIND}{i}", kind) for i, kind in enumerate(self._kinds.values())]
        return [(_MAKE, returned), *kinds]


def _kinds(value: Any, path: Path) -> Iterator[tuple[Path, type[Any]]]:
    if isinstance(value, Mapping):
        if type(value) is not dict and _can_be_made(value):
            yield path, type(value)
        for key, item in value.items():
            yield from _kinds(item, (*path, key))
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from _kinds(item, (*path, i))


def _can_be_made(value: Mapping[Any, Any]) -> bool:
    try:
        _made(type(value), dict(value))
    except TypeError:
        # a class with a constructor of its own stays a dictionary
        return False
    return True


def _made(kind: type[Any], parts: dict[Any, Any]) -> Any:
    return kind(**parts) if is_dataclass(kind) else kind(parts)
