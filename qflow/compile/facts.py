"""facts: what extensions say of themselves, read without torch; only here are they asked."""

import dataclasses
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, get_origin

from qflow import registry


def known(kind: str) -> tuple[str, ...]:
    """Names of an extension kind; none while the package is not there."""
    return registry.names(kind) if find_spec(f"qflow.{kind}") else ()


def operators() -> tuple[str, ...]:
    return known("emulation.ops")


def per_channel(observer: str, settings: Mapping[str, Any]) -> bool:
    """Whether an observer so set finds a range for each channel."""
    return bool(registry.load("quantization.observers", observer)(**settings).per_channel)


def _written(type_: Any) -> str:
    """A type as its file writes it: `float`, `tuple[int, ...]`."""
    plain = not isinstance(type_, str) and get_origin(type_) is None
    return str(type_.__name__ if plain else type_)


@cache
def settings(kind: str, name: str) -> tuple[tuple[str, str, Any], ...]:
    """Fields of an extension that a file may set: name, type as written, default (or MISSING)."""
    cls = registry.load(kind, name)
    if not dataclasses.is_dataclass(cls):
        return ()
    return tuple(
        (f.name, _written(f.type), f.default)
        for f in dataclasses.fields(cls)
        if f.init and not f.name.startswith("_")
    )
