"""example_inputs: what a model is called with, in the forms the Python API takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def arguments(
    example_inputs: Any, example_kw_inputs: Mapping[str, Any] | None = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Example inputs as positional arguments and those by name.

    A tensor is one argument, a tuple or list several; a mapping at the top is arguments by name.
    """
    by_name = dict(example_kw_inputs or {})
    if isinstance(example_inputs, Mapping):
        return (), {**example_inputs, **by_name}
    if isinstance(example_inputs, (tuple, list)):
        return tuple(example_inputs), by_name
    return () if example_inputs is None else (example_inputs,), by_name
