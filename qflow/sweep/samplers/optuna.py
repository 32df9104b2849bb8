"""optuna: points that promise most, by Optuna's TPE over metric and cost at once."""

from __future__ import annotations

from importlib.util import find_spec
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

from qflow.diagnostics import Diagnostic, fail
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import verdict
from qflow.sweep.results.pareto import is_measured
from qflow.sweep.sampling import Search, Values

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution

_POINT = "*"
"""The one axis of points that are no product of lists; no param is called so."""
_PATIENCE = 20
"""Known points in a row that may be asked for; then the next that is new is taken."""


class Optuna:
    """Asks in batches, and learns from a batch when all of it is told, in the order asked.

    So the same seed, trials and size of batches ask for the same points, whichever ends first.
    A point that Optuna asks for again is answered with what is known. What fails or breaks an
    assert is told as not allowed.
    """

    def __init__(self, search: Search) -> None:
        """Raises QflowError QF328 without an objective."""
        if search.objective is None:
            message = "a search needs something to be judged by, and nothing is measured"
            raise fail(Diagnostic("QF328", message, help="write `metric = accuracy` in its data"))
        self._objective = search.objective
        self._search = search
        self._axes = _axes(search.points)
        self._names = {self._key(name, values): name for name, values in search.points}
        self._distributions = _distributions(self._axes)
        self._known: dict[str, Outcome] = {}
        self._out: list[tuple[Trial, str]] = []
        self._study = self._made()

    @staticmethod
    def check() -> tuple[Diagnostic, ...]:
        if find_spec("optuna") is not None:
            return ()
        message = "the sampler `optuna` needs the package `optuna`, which is not installed"
        return (Diagnostic("QF405", message, help="pip install 'qflow[optuna]'"),)

    def ask(self, count: int) -> list[str]:
        assert not self._out, "what was asked for is told first"
        asked: dict[str, None] = {}
        repeated = 0
        while len(asked) < count and len(self._known) + len(asked) < self._search.most:
            if repeated == _PATIENCE:
                self._study.enqueue_trial(self._next_unknown(asked))
            trial = self._study.ask(self._distributions)
            name = self._names[self._chosen(trial.params)]
            if name in self._known:
                repeated += 1
                self._answer(trial, self._known[name])
                continue
            # the second trial of a batch with one point has to wait for the result as well
            repeated = repeated + 1 if name in asked else 0
            asked[name] = None
            self._out.append((trial, name))
        return [*asked]

    def tell(self, outcome: Outcome) -> None:
        assert any(name == outcome.name for _, name in self._out), "only what was asked for is told"
        self._known[outcome.name] = outcome
        if all(name in self._known for _, name in self._out):
            for trial, name in self._out:
                self._answer(trial, self._known[name])
            self._out = []

    def _answer(self, trial: Trial, outcome: Outcome) -> None:
        failed = verdict.is_failed(outcome) or not is_measured(outcome, self._objective)
        # Optuna forgets a trial that failed, and asks around there again and again: measured on a
        # grid of which a third fails, half as many good points as by chance. So it is told of one
        # that is not allowed, more so than one that breaks an assert; above 0 is not allowed.
        trial.set_constraint("verdict", 2.0 if failed else float(verdict.is_broken(outcome)))
        value = self._worst() if failed else dict(outcome.metrics)[self._objective.metric]
        self._study.tell(trial, [value, float(self._objective.cost(outcome))])

    def _worst(self) -> float:
        """What stands for a metric that was not measured."""
        known = [o for o in self._known.values() if is_measured(o, self._objective)]
        worst = min(known, key=self._objective.gain, default=None)
        return 0.0 if worst is None else dict(worst.metrics)[self._objective.metric]

    def _made(self) -> Study:
        import optuna

        # it would say each trial on its own; the sweep says what it runs
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        return optuna.create_study(
            directions=["maximize" if self._objective.higher else "minimize", "minimize"],
            sampler=optuna.samplers.TPESampler(
                seed=self._search.seed,
                n_startup_trials=min(10, max(2, self._search.most // 3)),
            ),
        )

    def _key(self, name: str, values: Values) -> tuple[str, ...]:
        return (name,) if [*self._axes] == [_POINT] else tuple(v for _, v in values)

    def _chosen(self, params: dict[str, Any]) -> tuple[str, ...]:
        """What a trial's numbers stand for: each is an index into its axis."""
        return tuple(values[params[name]] for name, values in self._axes.items())

    def _next_unknown(self, asked: dict[str, None]) -> dict[str, Any]:
        new = (k for k, n in self._names.items() if n not in self._known and n not in asked)
        key = next(new)
        return {
            name: values.index(part)
            for (name, values), part in zip(self._axes.items(), key, strict=True)
        }


def _axes(points: tuple[tuple[str, Values], ...]) -> dict[str, list[str]]:
    """Param to its values; numbers rising. One axis of names where the points are no product."""
    axes: dict[str, list[str]] = {}
    for _, values in points:
        for name, value in values:
            if value not in axes.setdefault(name, []):
                axes[name].append(value)
    whole = all([n for n, _ in values] == [*axes] for _, values in points)
    if not axes or not whole or prod(map(len, axes.values())) != len(points):
        return {_POINT: [name for name, _ in points]}
    return {name: sorted(v, key=float) if _are_numbers(v) else v for name, v in axes.items()}


def _are_numbers(values: list[str]) -> bool:
    try:
        return all(isfinite(float(v)) for v in values)
    except ValueError:
        return False


def _distributions(axes: dict[str, list[str]]) -> dict[str, BaseDistribution]:
    """Numbers have neighbours, words have none."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return {
        name: IntDistribution(0, len(values) - 1)
        if name != _POINT and _are_numbers(values)
        else CategoricalDistribution(range(len(values)))
        for name, values in axes.items()
    }
