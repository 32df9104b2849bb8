"""structured: typed configs, so that Hydra itself refuses a key that a program does not have."""

from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


@dataclass
class Pipeline:
    """A program in YAML; `defaults: [qflow/schema, ...]` types the key `qflow` of a project."""

    qflow: int = MISSING
    use: Any = None
    params: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    qconfig: dict[str, Any] = field(default_factory=dict)
    sensitivity: dict[str, Any] = field(default_factory=dict)
    graph: list[Any] | None = None
    rule_sets: dict[str, Any] = field(default_factory=dict)
    order: list[Any] | None = None
    quantize: list[Any] | None = None
    schedule: list[Any] | None = None
    check: list[Any] | None = None
    export: dict[str, Any] = field(default_factory=dict)
    sweep: dict[str, Any] = field(default_factory=dict)


@dataclass
class Job:
    """What `python -m qflow.hydra` does with the program."""

    file: str | None = None
    """The file the program stands for: paths in it, and its lock, are beside this one."""
    verb: str = "run"
    """`show` prints the program, `check` and `plan` are the verbs, `run` runs it."""
    out: str | None = None
    """Folder of the run instead of runs/<name of the file>."""
    form: str = "qf"
    """Of `show`: `qf` or `yaml`."""
    launcher: dict[str, Any] = field(default_factory=dict)
    """For several points: the group `launcher`."""
    threads: int | None = None
    """For several points: what torch computes each with; 1 where nothing is given."""
    resume: bool = False
    """For several points: go on with a sweep that was broken off."""
    sampler: str | None = None
    """For several points: `grid` runs all, `optuna` those that promise most."""
    trials: int | None = None
    seed: int | None = None
    objective: str | None = None
    """`LANE.METRIC`, such as `integer.accuracy`: what points are compared by."""
    against: str | None = None
    """The cost it is compared with: `bit_operations` or `weight_bytes`."""


@dataclass
class App(Pipeline):
    """The root config of `python -m qflow.hydra`."""

    job: Job = field(default_factory=Job)


def register() -> None:
    """Put the typed configs into Hydra's store; again changes nothing."""
    store = ConfigStore.instance()
    if "qflow_app.yaml" in store.list(""):
        return
    store.store(group="qflow", name="schema", node=Pipeline, package="qflow", provider="qflow")
    store.store(name="qflow_app", node=App, provider="qflow")


@dataclass
class Sweeper:
    """Hydra's sweeper `basic`, with qflow's in its place."""

    _target_: str = "hydra_plugins.qflow_sweeper.QflowSweeper"
    max_batch_size: int | None = None
    params: dict[str, str] | None = None


def sweeper() -> None:
    """Make qflow's sweeper the one that is used where no configuration names another."""
    store = ConfigStore.instance()
    # 1.3 replaces without being told to, and does not know the word
    replacing: dict[str, Any] = {"replace": True} if _can_be_told(store) else {}
    store.store(group="hydra/sweeper", name="basic", node=Sweeper, provider="qflow", **replacing)


def _can_be_told(store: ConfigStore) -> bool:
    return "replace" in signature(store.store).parameters
