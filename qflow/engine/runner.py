"""runner: each stage is made, or its artifact taken over when it came from the same things."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from qflow.diagnostics import EXIT, QflowError
from qflow.engine import files, seeds
from qflow.engine.cache import Artifact, Cache
from qflow.engine.keys import key_of
from qflow.engine.located import Located
from qflow.engine.stages import stages_of
from qflow.engine.state import State
from qflow.engine.work import Stage, Work, diagnostic_of


@dataclass(frozen=True)
class Done:
    """How one stage went."""

    seconds: float
    how: str
    """`ran`, `reused` from an earlier run, or `resumed`: made by an earlier attempt of this run."""

    @property
    def reused(self) -> bool:
        """What the summary says: resumed is not reused, the run is the same one."""
        return self.how == "reused"


def run_stages(
    work: Work, cache: Cache, state: State, again: tuple[str, ...]
) -> Mapping[str, Done]:
    """Bring every stage up to date; `again` names those that are made whatever the cache holds."""
    done: dict[str, Done] = {}
    for stage in stages_of(work.plan):
        key = key_of(stage, work)
        waiting = partial(work.console.say, stage.name, "another run is making it: waiting")
        with cache.hold(stage.name, key, waiting):
            artifact, done[stage.name] = _brought_up(stage, key, work, cache, state, again)
        work.made[stage.name] = artifact
        if stage.diagnostics:
            kept = map(diagnostic_of, artifact.json(stage.diagnostics))
            work.console.diagnose(replace(d, at=work.plan.target.at) for d in kept)
    return done


def _brought_up(
    stage: Stage, key: str, work: Work, cache: Cache, state: State, again: tuple[str, ...]
) -> tuple[Artifact, Done]:
    started = time.perf_counter()
    found = _found(stage, key, work, cache, state, again)
    if found is None:
        if _afresh(stage, key, state, again):
            files.remove(cache.checkpoint(stage.name, key))
        made = _make(stage, key, work, cache, state)
        return made, Done(made.seconds, "ran")
    if state.made(stage.name, key):
        work.console.say(stage.name, "resumed: an earlier attempt of this run finished it")
        return found, Done(found.seconds, "resumed")
    work.console.say(stage.name, "reused")
    return found, Done(time.perf_counter() - started, "reused")


def _found(
    stage: Stage, key: str, work: Work, cache: Cache, state: State, again: tuple[str, ...]
) -> Artifact | None:
    """The artifact to take over; None when the stage has to be made."""
    if _afresh(stage, key, state, again):
        return None
    found = cache.find(stage.name, key)
    if found.damaged:
        work.console.say(stage.name, f"the artifact is damaged ({found.damaged}): made again")
    return found.artifact


def _afresh(stage: Stage, key: str, state: State, again: tuple[str, ...]) -> bool:
    """It was asked for once more, and not made since: nothing of an earlier attempt counts."""
    asked = stage.name in again or stage.part_of in again
    return asked and not state.made(stage.name, key)


def _make(stage: Stage, key: str, work: Work, cache: Cache, state: State) -> Artifact:
    # first the old artifact goes, then the state says it is being made: a kill in between must not
    # let a later attempt take the old one for its own
    folder = cache.start(stage.name, key)
    state.start(stage.name, key)
    work.checkpoint = cache.checkpoint(stage.name, key)
    started = time.perf_counter()
    seeds.start(stage.seed, "stage", stage.name)
    try:
        with Located(None, EXIT.failed), seeds.deterministic():
            stage.make(work, folder)
    except (QflowError, KeyboardInterrupt):
        cache.abandon(stage.name, key)
        raise
    return cache.finish(stage.name, key, time.perf_counter() - started)
