"""Reading the file of a march: every entry is known, well formed, and says its source."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from qflow import resources
from qflow.dtype import DTYPES
from qflow.march import March, OpSupport

_SETTINGS = tuple(
    f.name for f in fields(March) if f.name not in ("name", "about", "ops", "sources")
)
_OP_FIELDS = {f.name for f in fields(OpSupport)}


@cache
def files() -> Mapping[str, Path]:
    """File of every march by name, sorted by name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}


@cache
def read(path: Path) -> March:
    """The march of one file. Raises ValueError, naming file and entry, when the file is not sound.

    A march ships with qflow or a plugin: a bad one is its author's mistake, not the user's.
    """
    raw = resources.read_yaml(path)
    if not isinstance(raw, dict):
        raise _wrong(path, "the file", "is no mapping")
    _exactly(path, "the file", raw, {"name", "about", "ops", *_SETTINGS})
    if raw["name"] != path.stem:
        raise _wrong(path, "name", f"is `{raw['name']}`, the file is called `{path.stem}`")
    values = {name: _setting(path, name, raw[name]) for name in _SETTINGS}
    return March(
        name=path.stem,
        about=str(raw["about"]).strip(),
        ops=tuple((op, _support(path, op, raw["ops"][op])) for op in sorted(raw["ops"])),
        sources=tuple((name, str(raw[name]["source"])) for name in _SETTINGS),
        **values,
    )


def _setting(path: Path, name: str, entry: Any) -> Any:
    if not isinstance(entry, dict):
        raise _wrong(path, name, "is not of the form {value: ..., source: ...}")
    _exactly(path, name, entry, {"value", "source"})
    value = entry["value"]
    if name == "fuse_add_dtypes":
        return _dtypes(path, name, value)
    if name == "profile":
        # the language writes `tosa.single`; the file is emulation/profiles/tosa_single.py
        return str(value).replace(".", "_")
    hint = get_type_hints(March)[name]
    allowed = get_args(hint)
    if allowed and value not in allowed:
        raise _wrong(path, name, f"is `{value}`, not one of {', '.join(allowed)}")
    if hint is int and type(value) is not int:
        raise _wrong(path, name, f"is `{value}`, not a whole number")
    return value


def _support(path: Path, op: str, entry: Any) -> OpSupport:
    where = f"ops.{op}"
    if not isinstance(entry, dict):
        raise _wrong(path, where, "is no mapping")
    if extra := entry.keys() - _OP_FIELDS:
        raise _wrong(path, where, f"has unknown fields: {', '.join(sorted(extra))}")
    if missing := {"input", "output", "source"} - entry.keys():
        raise _wrong(path, where, f"lacks {', '.join(sorted(missing))}")
    operands = entry.get("operands", [])
    if not isinstance(operands, list):
        raise _wrong(path, where, "has operands that are no list")
    wide = entry.get("wide")
    if wide is not None and (type(wide) is not int or wide < 0):
        raise _wrong(path, where, f"has wide `{wide}`, not a whole number")
    taken = _dtypes(path, where, entry["input"])
    by_operand = tuple(_dtypes(path, where, each) for each in operands)
    if strange := [d for each in by_operand for d in each if d not in taken]:
        raise _wrong(path, where, f"has {strange[0]} at an operand but not as input")
    return OpSupport(
        input=taken,
        output=_dtypes(path, where, entry["output"]),
        weight=_dtypes(path, where, entry.get("weight", [])),
        same=bool(entry.get("same", False)),
        lowers=bool(entry.get("lowers", False)),
        source=str(entry["source"]),
        operands=by_operand,
        wide=wide,
    )


def _dtypes(path: Path, where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(path, where, f"is `{value}`, not a list of dtypes")
    if unknown := [str(v) for v in value if v not in DTYPES]:
        raise _wrong(path, where, f"has unknown dtypes: {', '.join(unknown)}")
    return tuple(value)


def _exactly(path: Path, where: str, entry: Mapping[str, Any], wanted: set[str]) -> None:
    if missing := wanted - entry.keys():
        raise _wrong(path, where, f"lacks {', '.join(sorted(missing))}")
    if extra := entry.keys() - wanted:
        raise _wrong(path, where, f"has unknown entries: {', '.join(sorted(extra))}")


def _wrong(path: Path, where: str, text: str) -> ValueError:
    return ValueError(f"march {path.name}: {where} {text}")
