"""schemas: arguments of an ATen call under the names its schema has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.frontends.aten import Argument, Unknown
from qflow.frontends.imported import Held, Value


def bound(schema: Any, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[Argument, ...]:
    """Every argument of the schema, with its default where it is not given.

    Raises Unknown for arguments it does not have, or lacks.
    """
    found: list[Argument] = []
    left = dict(named)
    for position, declared in enumerate(schema.arguments):
        has, default = declared.has_default_value(), declared.default_value
        if position < len(args):
            value = args[position]
        elif declared.name in left:
            value = left.pop(declared.name)
        elif has:
            value = default
        else:
            raise Unknown(f"lacks its argument `{declared.name}`")
        usual = has and _same(value, default)
        found.append(Argument(declared.name, value, usual, declared.kwarg_only))
    if left or len(args) > len(schema.arguments):
        raise Unknown("has arguments its schema does not have")
    return tuple(found)


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, (Value, Held)) or isinstance(default, (Value, Held)):
        return False
    if isinstance(value, (list, tuple)) and isinstance(default, (list, tuple)):
        return len(value) == len(default) and all(map(_same, value, default))
    return type(value) is type(default) and bool(value == default)
