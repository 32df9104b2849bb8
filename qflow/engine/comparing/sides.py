"""sides: two dumps, or a dump and another tool's arrays, compared tensor by tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qflow.diagnostics import Diagnostic, QflowError
from qflow.emulation.record import Damaged
from qflow.engine.comparing import naming
from qflow.engine.comparing.judged import Verdict, judge
from qflow.engine.comparing.policy import EXACT, MEASURES, Policy, covers, policy_of
from qflow.engine.comparing.stored import Side, Tensor, open_side, unreadable
from qflow.plan import address

STOP, WARN, COLLECT = "stop", "warn", "collect"
"""What a violation does: it ends the comparison, it is only said, or all of them are said."""


@dataclass(frozen=True)
class Asked:
    policies: tuple[Policy, ...] = ()
    on_violation: str = COLLECT
    names: Path | None = None
    """A map of names."""
    unstable: tuple[str, ...] = ()
    """Globs of tensors whose values have no order, besides those a dump marks."""


@dataclass(frozen=True)
class Found:
    sides: tuple[str, str]
    verdicts: tuple[Verdict, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    stopped: bool = False
    """Whether tensors behind the last one were not looked at."""

    @property
    def violated(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if not v.holds)


def compare(first: Path, second: Path, asked: Asked) -> Found:
    """Raises QflowError: what `open_side` and `naming` raise, and QF382 for a glob of a policy, or
    of `unstable`, that covers nothing.
    """
    one, other = open_side(first), open_side(second)
    names = {} if asked.names is None else naming.read_map(asked.names)
    pairs = naming.pair(one.tensors, other.tensors, names, asked.names)
    _require_cover([*(p.glob for p in asked.policies), *asked.unstable], one)
    verdicts: list[Verdict] = []
    for verdict in _verdicts(one, other, pairs.both, asked):
        verdicts.append(verdict)
        if not verdict.holds and asked.on_violation == STOP:
            break
    stopped = len(verdicts) < len(pairs.both)
    shown = (first.as_posix(), second.as_posix())
    return Found(shown, tuple(verdicts), pairs.only, stopped)


def diagnostics(found: Found, on_violation: str) -> tuple[Diagnostic, ...]:
    """A QF385 per tensor whose policy does not hold; warnings where they are only said."""
    return tuple(
        Diagnostic(
            "QF385",
            f"`{v.name}`: {_why(v)}",
            notes=(f"`{v.name}` is called `{v.other}` in {found.sides[1]}",)
            if v.name != v.other
            else (),
            help=f'look at its operator; `--policy "{v.name}: {_other(v)}"` allows another limit',
            severity="warning" if on_violation == WARN else "error",
        )
        for v in found.violated
    )


def _verdicts(
    one: Side, other: Side, pairs: Sequence[tuple[str, str]], asked: Asked
) -> Iterator[Verdict]:
    for name, partner in pairs:
        first, second = one.tensors[name], other.tensors[partner]
        policy = policy_of(name, asked.policies)
        if why := _unstable(name, first, second, asked):
            yield Verdict(name, partner, policy, skipped=why)
            continue
        try:
            yield judge((name, partner), first, second, policy)
        except (Damaged, OSError) as why_not:
            raise unreadable(_broken_one(one, other, name), why_not) from None


def _unstable(name: str, first: Tensor, second: Tensor, asked: Asked) -> str:
    if any(covers(glob, name) for glob in asked.unstable):
        return "its order is said to mean nothing"
    return first.unstable or second.unstable


def _broken_one(one: Side, other: Side, name: str) -> Path:
    """Which side cannot be read; asked only where one cannot."""
    try:
        for _ in one.tensors[name].blocks(real=False):
            pass
    except (Damaged, OSError):
        return one.path
    return other.path


def _require_cover(globs: Sequence[str], side: Side) -> None:
    names = tuple(side.tensors)
    wrong = [
        Diagnostic(
            "QF382",
            f"`{glob}` covers no tensor of `{side.path.as_posix()}`",
            notes=(f"the nearest are {', '.join(f'`{n}`' for n in near)}",)
            if (near := address.nearest(glob, names))
            else (),
            help="globs are about names of the first side",
        )
        for glob in dict.fromkeys(globs)
        if not any(covers(glob, n) or covers(glob, n.partition("#")[0]) for n in names)
    ]
    if wrong:
        raise QflowError(tuple(wrong))


def _why(verdict: Verdict) -> str:
    if verdict.problem:
        return verdict.problem
    value = verdict.value
    if verdict.policy.measure == EXACT:
        return f"not equal, by {value:.6g} at most"
    return f"{verdict.policy.measure} is {value:.6g}, asked is {verdict.policy.text}"


def _other(verdict: Verdict) -> str:
    measure = verdict.policy.measure
    return "cosine >= 0.99" if measure == EXACT else f"{measure} {MEASURES[measure]} LIMIT"
