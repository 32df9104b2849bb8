"""frozen: points of a sweep before any of them runs: one trace for all, and every plan whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qflow.compile.front import Front
from qflow.diagnostics import Diagnostic, fail
from qflow.engine import digest, session
from qflow.engine.console import Console
from qflow.engine.model import FloatModel
from qflow.engine.run import understand
from qflow.plan.plan import Plan


@dataclass
class Memo:
    """Models that were traced already, by what a trace is made from."""

    models: dict[str, FloatModel] = field(default_factory=dict)


@dataclass(frozen=True)
class Frozen:
    plan: Plan
    model: str
    """Digest of the model that was traced, weights included: see `fingerprint`."""


def freeze(
    path: Path, found: Front, settings: Mapping[str, str], console: Console, memo: Memo
) -> Frozen:
    """The plan of one point, as `qflow run` would make it now.

    The model is traced once for all points that build and trace it alike; the lock is checked, and
    sensitivity tables that are missing are measured. Raises QflowError as a run does before its
    first stage.
    """
    if any(d.code == "QF280" for d in found.diagnostics):
        # a point before this one may have measured the table meanwhile
        found = understand(path, settings)
    spec, graph = session.asked(found, settings)
    key = digest.of_json([repr(spec), repr(graph), path.parent.as_posix()])
    if key not in memo.models:
        memo.models[key] = session.trace(path, found, settings)
    model = memo.models[key]
    plan = session.plan(path, found, settings, model, console)
    return Frozen(plan, fingerprint(model))


def fingerprint(model: FloatModel) -> str:
    """Digest of what a model computes."""
    return digest.of_json([model.structure, model.weights])


def refuse_another(model: FloatModel, plan: Plan, frozen: str) -> None:
    """Raises QflowError QF323 for a model that is not the one of a `fingerprint`."""
    if fingerprint(model) == frozen:
        return
    message = f"the model of `{plan.path}` changed since the sweep was frozen"
    help_ = "run the sweep without `--resume`: it is compiled anew"
    raise fail(Diagnostic("QF323", message, at=plan.model.at, help=help_))
