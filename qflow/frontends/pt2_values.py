"""pt2_values: pieces of the JSON of a `.pt2` archive: fields of a kind, tensors, arguments.

The numbers are those of the serialization schema of `torch.export`, major version 8.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from qflow.frontends.source import FilePort

DTYPES: Mapping[int, torch.dtype] = {
    **dict(enumerate((torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64), start=1)),
    **dict(enumerate((torch.float16, torch.float32, torch.float64), start=6)),
    12: torch.bool,
    13: torch.bfloat16,
}
_RANK = 16


class Malformed(Exception):
    """The message is a sentence about the file."""


def loaded(members: Mapping[str, bytes], name: str) -> Any:
    """A member as JSON. Raises Malformed."""
    raw = members.get(name)
    if raw is None:
        raise Malformed(f"it has no `{name}`")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"its `{name}` is no JSON: {error}") from error


def field(data: Any, name: str, kind: type | tuple[type, ...]) -> Any:
    """A field of a record. Raises Malformed where it is missing or something else."""
    if not isinstance(data, dict) or not isinstance(data.get(name), kind):
        raise Malformed(f"a record has no `{name}` of the kind it must be")
    return data[name]


def argument(data: Any, found: Callable[[str], Any]) -> Any:
    """An argument of a call; `found` looks a name up. Raises Malformed."""
    if not isinstance(data, dict) or len(data) != 1:
        raise Malformed("an argument is no record of one field")
    (kind, value), *_ = data.items()
    match kind, value:
        case "as_none", _:
            return None
        case ("as_tensor", {"name": str(name)}):
            return found(name)
        case "as_tensors", list():
            return [found(field(v, "name", str)) for v in value]
        case ("as_sym_int" | "as_sym_float", dict()):
            return _symbol(value, found)
        case "as_sym_ints", list():
            return [_symbol(v, found) for v in value]
        case "as_optional_tensors", list():
            return [argument(v, found) for v in value]
        case "as_optional_tensor", dict():
            return argument(value, found)
        case (("as_int" | "as_float" | "as_bool" | "as_string"), (int() | float() | str())):
            return value
        case (("as_ints" | "as_floats" | "as_bools" | "as_strings"), list()):
            if all(isinstance(v, (int, float, str)) for v in value):
                return list(value)
        case "as_scalar_type", int() if value in DTYPES:
            return DTYPES[value]
        case (("as_device" | "as_layout" | "as_memory_format"), _):
            return None
    raise Malformed(f"an argument of the kind `{str(kind)[:40]}` cannot be read")


def _symbol(data: Any, found: Callable[[str], Any]) -> Any:
    match data:
        case {"as_name": str(name)}:
            return found(name)
        case {"as_int": int(value)}:
            return value
        case {"as_float": float(value)}:
            return value
    raise Malformed("a size is neither a name nor a number")


def port(name: str, shown: str, tensors: Any) -> FilePort:
    """An input or output by its name in the graph. Raises Malformed."""
    meta = field(tensors, name, dict)
    sizes = field(meta, "sizes", list)
    if any(not isinstance(s, dict) for s in sizes):
        raise Malformed(f"the sizes of `{name}` cannot be read")
    dims = tuple(s["as_int"] if isinstance(s.get("as_int"), int) else None for s in sizes)
    dtype = DTYPES.get(field(meta, "dtype", int))
    return FilePort(shown, str(dtype).removeprefix("torch.") if dtype else "", dims)


def tensors(members: Mapping[str, bytes], folder: str, config: str) -> dict[str, Tensor]:
    """Every tensor that a list of payloads names. Raises Malformed."""
    listed = loaded(members, f"{folder}{config}")
    found: dict[str, Tensor] = {}
    for name, payload in field(listed, "config", dict).items():
        member = f"{folder}{field(payload, 'path_name', str)}"
        if member not in members:
            raise Malformed(f"it lacks the tensor `{name}`")
        if payload.get("use_pickle"):
            found[name] = _pickled(members[member], name)
        else:
            found[name] = _plain(members[member], payload.get("tensor_meta"), name)
    return found


def _plain(raw: bytes, meta: Any, name: str) -> Tensor:
    dtype = DTYPES.get(field(meta, "dtype", int))
    sizes, strides = (
        [field(v, "as_int", int) for v in field(meta, k, list)] for k in ("sizes", "strides")
    )
    offset = field(meta.get("storage_offset"), "as_int", int)
    if dtype is None or len(sizes) != len(strides) or len(sizes) > _RANK:
        raise Malformed(f"the form of the tensor `{name}` cannot be read")
    if any(n < 0 for n in (*sizes, *strides, offset)):
        raise Malformed(f"the tensor `{name}` has a negative size")
    if 0 in sizes:
        return torch.empty(sizes, dtype=dtype)
    last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    if last >= len(raw) // dtype.itemsize or len(raw) % dtype.itemsize:
        raise Malformed(f"the tensor `{name}` has fewer values than its shape")
    flat = torch.frombuffer(bytearray(raw), dtype=dtype)
    # a copy of its own: what overlaps in a file would be written at once
    return flat.as_strided(sizes, strides, offset).clone(memory_format=torch.contiguous_format)


def _pickled(raw: bytes, name: str) -> Tensor:
    try:
        found = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError) as error:
        raise Malformed(f"the tensor `{name}` is not plain") from error
    if not isinstance(found, Tensor) or found.layout != torch.strided or found.is_quantized:
        raise Malformed(f"`{name}` is no plain tensor")
    return found.detach()


_NUMBERED = re.compile(r"@\d+$")


def owner(metadata: Any) -> tuple[str, str]:
    """Address and class of the module whose `forward` made a node; empty for the model itself."""
    text = metadata.get("nn_module_stack") if isinstance(metadata, dict) else None
    last = str(text or "").rpartition(";")[2].split(",")
    if len(last) != 3:
        return "", ""
    parts = _NUMBERED.sub("", last[1]).split(".")
    fine = all(p.isidentifier() or p.isdigit() for p in parts)
    return (".".join(parts), last[2]) if fine else ("", "")
