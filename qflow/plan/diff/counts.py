"""counts: the last lines of a difference: how much changes, what it takes, what runs again."""

from collections.abc import Iterator

from qflow.plan.diff import Difference, Kind

_KINDS: tuple[Kind, ...] = ("changed", "added", "removed")
_ONE = {
    "params": "param",
    "model": "model",
    "target": "target",
    "data": "data block",
    "graph": "graph statement",
    "fusions": "fusion",
    "stages": "stage",
    "checks": "check",
    "exports": "export",
}


def counts(found: Difference) -> tuple[str, ...]:
    """Modules and the rest, weight bytes, bit operations, stages that run again."""
    before, after = found.cost
    return (
        _counted(found),
        f"weights         {_moved(before.weight_bytes, after.weight_bytes, ' bytes')}",
        f"bit operations  {_moved(before.bit_operations, after.bit_operations)}",
        *([f"runs again      {', '.join(found.again)}"] if found.again else []),
    )


def _moved(before: int, after: int, unit: str = "") -> str:
    if before == after:
        return f"{after:,}{unit}, as before"
    percent = f" ({100 * (after - before) / before:+.1f} %)" if before else ""
    return f"{before:,} -> {after:,}{unit}{percent}"


def _counted(found: Difference) -> str:
    total = found.modules[1] or found.modules[0]
    parts = [f"{found.changed} of {total} modules {'changes' if found.changed == 1 else 'change'}"]
    parts += [f"{n} {kind}" for kind in _KINDS[1:] if (n := found.count("modules", kind))]
    parts += list(_others(found))
    return ", ".join(parts)


def _others(found: Difference) -> Iterator[str]:
    states = found.count("states", "changed")
    if states:
        yield f"{states} {'address' if states == 1 else 'addresses'} in another state"
    for section, word in _ONE.items():
        number = sum(found.count(section, kind) for kind in _KINDS)
        if number:
            yield f"{number} {word}{'' if number == 1 else 's'}"
