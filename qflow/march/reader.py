"""Reading the file of a march: every entry is known, well formed, and says its source.

A file that `extends` another one holds what differs: settings, operators, and under `without` the
operators that are not there. A key of `ops` or `floats` may name several operators.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from qflow import resources
from qflow.dtype import DTYPES
from qflow.march import March, OpSupport

_SETTINGS = tuple(
    f.name for f in fields(March) if f.name not in ("name", "about", "ops", "floats", "sources")
)
_OP_FIELDS = {f.name for f in fields(OpSupport)}


@cache
def files() -> Mapping[str, Path]:
    """File of every march by name, sorted by name."""
    found = {path.stem: path for path in Path(__file__).parent.glob("*.yaml")}
    return dict(sorted(found.items()))


@cache
def read(path: Path) -> March:
    """The march of one file. Raises ValueError, naming file and entry, when the file is not sound.

    A march ships with qflow or a plugin: a bad one is its author's mistake, not the user's.
    """
    raw = _mapping(path)
    if raw.get("name") != path.stem:
        raise _wrong(path, "name", f"is `{raw.get('name')}`, the file is called `{path.stem}`")
    _exactly(path, "the file", raw, {"name", "about", "ops", "floats", *_SETTINGS})
    values = {name: _setting(path, name, raw[name]) for name in _SETTINGS}
    return March(
        name=path.stem,
        about=str(raw["about"]).strip(),
        ops=tuple((op, _support(path, op, raw["ops"][op])) for op in sorted(raw["ops"])),
        floats=tuple((op, str(raw["floats"][op])) for op in sorted(raw["floats"])),
        sources=tuple((name, str(raw[name]["source"])) for name in _SETTINGS),
        **values,
    )


def _mapping(path: Path, heirs: tuple[str, ...] = ()) -> dict[str, Any]:
    """The entries of a file, with those of the one it extends; a key per operator."""
    raw = resources.read_yaml(path)
    if not isinstance(raw, dict):
        raise _wrong(path, "the file", "is no mapping")
    own = dict(raw)
    without = own.pop("without", [])
    for table in ("ops", "floats"):
        own[table] = _each(path, table, own.get(table, {}))
    if "extends" not in own:
        return own
    base = str(own.pop("extends"))
    if base not in files() or base in (path.stem, *heirs):
        raise _wrong(path, "extends", f"is `{base}`, no other march")
    whole = _mapping(files()[base], (*heirs, path.stem))
    if missing := [op for op in without if op not in whole["ops"]]:
        raise _wrong(path, "without", f"names {missing[0]}, which `{base}` does not list")
    gone = {*without, *own["floats"]}
    kept = {op: entry for op, entry in whole["ops"].items() if op not in gone}
    floats = {op: why for op, why in whole["floats"].items() if op not in own["ops"]}
    return {
        **whole,
        **own,
        "ops": {**kept, **own["ops"]},
        "floats": {**floats, **own["floats"]},
    }


def _each(path: Path, table: str, entries: Any) -> dict[str, Any]:
    """One key per operator: `sin cos` stands for both."""
    if not isinstance(entries, dict):
        raise _wrong(path, table, "is no mapping")
    found: dict[str, Any] = {}
    for key, entry in entries.items():
        for op in str(key).split():
            if op in found:
                raise _wrong(path, f"{table}.{op}", "is there twice")
            found[op] = entry
    return found


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
