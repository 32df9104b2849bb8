"""results: what a forward returned: its tensors in order, with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, fx

from qflow.diagnostics import Diagnostic, fail

Path = tuple[Any, ...]
"""Keys and positions that lead to a tensor: `("boxes", 0)`; `()` for a bare tensor."""


def leaves(result: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every tensor, or node, of a result, with the keys that lead to it."""
    if isinstance(result, (Tensor, fx.Node)):
        yield path, result
    elif isinstance(result, Mapping):
        for key, value in result.items():
            yield from leaves(value, (*path, key))
    elif isinstance(result, (tuple, list)):
        for i, value in enumerate(result):
            yield from leaves(value, (*path, i))


def at(result: Any, path: Path) -> Any:
    """What lies at a path."""
    for key in path:
        result = result[key]
    return result


def paths(result: Any, names: Sequence[str] | None) -> dict[str, Path]:
    """Name to path of every tensor of a result. QF312 when the names do not fit.

    Without names: `output`, `output_0` in a tuple, the key in a dictionary, joined where they nest.
    """
    found = [path for path, _ in leaves(result)]
    given = [_name(path) for path in found] if names is None else list(names)
    if len(given) != len(found) or len(set(given)) != len(given) or not found:
        raise fail(
            Diagnostic(
                "QF312",
                f"the model returns {len(found)} tensors, but {len(given)} names are given",
                notes=(f"the tensors are at {', '.join(map(_name, found))}",) if found else (),
                help="give one name per tensor, in the order it returns them",
            )
        )
    return dict(zip(given, found, strict=True))


def _name(path: Path) -> str:
    if not path:
        return "output"
    first = f"output_{path[0]}" if isinstance(path[0], int) else str(path[0])
    return "_".join((first, *map(str, path[1:])))
