"""asked: the key `job` of a configuration: what is to be done with the program."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from qflow.diagnostics import Diagnostic, fail

_SEARCH = ("sampler", "trials", "seed", "objective", "against")
_LEAST = {"threads": 1, "trials": 1, "seed": 0}
Option = str | int | float | bool


@dataclass(frozen=True)
class Asked:
    """The key `job` of the configuration."""

    verb: str = "run"
    out: Path | None = None
    form: str = "qf"
    launcher: str = "basic"
    """For several points: where they run."""
    options: tuple[tuple[str, Option], ...] = ()
    """Of the launcher."""
    threads: int | None = None
    resume: bool = False
    search: tuple[tuple[str, Option], ...] = ()
    """Of several points: which of them run, and by what they are compared; fields of `Wanted`."""


def of(config: DictConfig) -> Asked:
    """Raises QflowError: QF113 for an option of a launcher that is no single value, QF111 for a
    number that is too small."""
    job = OmegaConf.select(config, "job")
    given: Any = OmegaConf.to_container(job, resolve=True) if job is not None else {}
    out = given.get("out")
    launcher = dict(given.get("launcher") or {})
    kind = str(launcher.pop("kind", "basic"))
    for name, value in launcher.items():
        if not isinstance(value, Option):
            message = f"`job.launcher.{name}` is a single value, not `{value}`"
            raise fail(Diagnostic("QF113", message))
    for name, least in _LEAST.items():
        if given.get(name) is not None and given[name] < least:
            raise fail(Diagnostic("QF111", f"`job.{name}` is {least} or more, not {given[name]}"))
    return Asked(
        str(given.get("verb", "run")),
        Path(str(out)) if out else None,
        str(given.get("form", "qf")),
        kind,
        tuple(sorted(launcher.items())),
        given.get("threads"),
        bool(given.get("resume", False)),
        tuple((key, given[key]) for key in _SEARCH if given.get(key) is not None),
    )


def agreed(asked: Iterable[Asked]) -> Asked:
    """What all points ask for. Raises QflowError QF151 where they ask for different things."""
    found = [*dict.fromkeys(asked)]
    if len(found) > 1:
        names = [f.name for f in fields(Asked) if len({getattr(a, f.name) for a in found}) > 1]
        keys = ", ".join(dict.fromkeys(f"`job.{_KEYS.get(name, name)}`" for name in names))
        message = f"the points of one sweep differ in {keys}"
        help_ = "give it one value, or start the sweep once for each"
        raise fail(Diagnostic("QF151", message, help=help_))
    return found[0] if found else Asked()


_KEYS = {"options": "launcher", "search": "sampler"}
