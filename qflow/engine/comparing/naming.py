"""naming: which tensor of one side is which of the other: by name, or by a map in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.record import Damaged, Record

MOST_BYTES = 1 << 28
EXPORTED = "tensors"
"""Of the name map that an export writes."""


@dataclass(frozen=True)
class Pairs:
    both: tuple[tuple[str, str], ...]
    """(name in the first, name in the second), in the order of the first."""
    only: tuple[tuple[str, ...], tuple[str, ...]]
    """What has no partner, per side."""


def read_map(path: Path) -> dict[str, str]:
    """First side's name to the second's: a JSON object, or the name map an export wrote.

    Raises QflowError QF384.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Damaged("it is too large")
        found = Record.parse(path.read_bytes(), path.name)
        if isinstance(found.data.get(EXPORTED), dict):
            return _exported(found.record(EXPORTED))
        return found.words()
    except (Damaged, OSError) as why:
        said = (why.strerror or str(why)) if isinstance(why, OSError) else str(why)
        raise _unusable(path, said) from None


def pair(
    first: Mapping[str, object],
    second: Mapping[str, object],
    names: Mapping[str, str],
    path: Path | None,
) -> Pairs:
    """Names that are in the map mean what it says, others themselves.

    Raises QflowError: QF384 for a map that names what is on neither side or one tensor twice,
    QF382 where nothing is left to be compared.
    """
    if path is not None:
        _check(first, second, names, path)
    taken = {names.get(a, a): a for a in first}
    both = tuple((a, b) for a in first if (b := names.get(a, a)) in second)
    if not both:
        raise fail(
            Diagnostic(
                "QF382",
                "the two have no tensor of one name",
                notes=(
                    f"the first has {_some(first)}",
                    f"the second has {_some(second)}",
                ),
                help='write a map {"name in the first": "name in the second"} and give it as '
                "`--map FILE`",
            )
        )
    matched = {a for a, _ in both}
    rest = tuple(b for b in second if b not in taken)
    return Pairs(both, (tuple(a for a in first if a not in matched), rest))


def _check(
    first: Mapping[str, object], second: Mapping[str, object], names: Mapping[str, str], path: Path
) -> None:
    targets = [b for a, b in names.items() if a in first]
    if twice := sorted({b for b in targets if targets.count(b) > 1}):
        raise _unusable(path, f"it names `{twice[0]}` of the second side twice")
    # a map of a whole model may know more than was dumped, but it must fit something
    if not any(a in first and b in second for a, b in names.items()):
        raise _unusable(path, "no line of it names a tensor of both sides")


def _exported(tensors: Record) -> dict[str, str]:
    """Of `<stem>.names.json`: names of integers, and where there are none those of real values."""
    found = {}
    for name in tensors.data:
        entry = tensors.record(name)
        chosen = entry.data.get("tensor") or entry.data.get("real")
        if isinstance(chosen, str):
            found[name] = chosen
    return found


def _some(names: Mapping[str, object]) -> str:
    listed = [f"`{n}`" for n in names]
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return f"{', '.join(listed[:3])}{more}" if listed else "none"


def _unusable(path: Path, why: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF384",
            f"`{path.as_posix()}` cannot be used as a map of names: {why}",
            help='write one JSON object: {"name in the first": "name in the second"}',
        )
    )
