"""measuring: the sensitivity of every output to every quantized tensor alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qflow import registry
from qflow.analysis.ablation.evaluator import Evaluator, Values
from qflow.analysis.ablation.partial import Partial, digest_of, key_of
from qflow.analysis.ablation.readers import Watch
from qflow.analysis.ablation.switches import Switch, all_off, quantizers, switches
from qflow.analysis.ablation.table import SensitivityTable
from qflow.analysis.similarity import Similarity
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.plan.sensitivity import TYPES, Row, ranked

if TYPE_CHECKING:
    import numpy as np
    from torch import fx

METRICS = "analysis.similarity"
Progress = Callable[[int, "int | None", str], None]
"""Called with (done, total or None, address) after every tensor of every batch."""


def sensitivity(
    prepared: fx.GraphModule,
    batches: Iterable[Any],
    *,
    outputs: Sequence[str] | None = None,
    metrics: Sequence[str] = ("cosine", "l1", "mse", "sqnr", "kl"),
    types: Sequence[str] = TYPES,
    progress: Progress | None = None,
    resume: str | PathLike[str] | None = None,
) -> SensitivityTable:
    """Quantize each tensor alone, all others float, and compare every output with the float one.

    `prepared` is calibrated; its states and modes are left as they were. A batch is a tensor, a
    tuple of arguments or a mapping of arguments by name, batch dimension first. `types` are
    `activation` (outputs of operators), `weight`, and `input` (operands with a grid of their own);
    the owner of a scale group switches its members with it. Metrics are files of
    `analysis.similarity`; all batches together give one value, in float64.

    Per batch the float activations are computed once and kept; a switched tensor costs only what
    lies downstream of it. `resume` names a file that keeps how far the measurement came; with the
    same model and the same batches it goes on from there to the same table, and then the file goes.

    Raises QflowError: QF401 for scales no data reached, QF110 for an unknown output, metric or
    type, QF404 without batches, QF403 for an output that is not finite, QF284 where the file of
    `resume` was begun with other batches. OSError where that file cannot be written.
    """
    import torch

    chosen = _outputs(prepared, outputs)
    _known("metric", metrics, registry.names(METRICS))
    _known("type", types, TYPES)
    _require_scales(prepared, types)
    names = sorted(quantizers(prepared))
    key = key_of(prepared, [names, list(metrics), list(types), list(chosen)])
    partial = Partial.open(Path(resume) if resume is not None else None, key)
    evaluator = Evaluator(prepared, chosen, partial.evaluations)
    run = _Run(evaluator, partial, tuple(metrics), tuple(types), progress)
    with all_off(prepared), torch.no_grad():
        try:
            count = run.over(batches)
        except BaseException:
            run.stop()
            raise
    if not count:
        raise fail(Diagnostic("QF404", "there is no batch to measure the sensitivity on"))
    return run.finish(count)


@dataclass
class _Run:
    evaluator: Evaluator
    partial: Partial
    metrics: tuple[str, ...]
    types: tuple[str, ...]
    progress: Progress | None
    found: tuple[Switch, ...] = ()
    watch: Watch | None = None
    total: int | None = None

    def over(self, batches: Iterable[Any]) -> int:
        """All batches; how many there were."""
        count = 0
        sized = len(batches) if isinstance(batches, Sized) else None
        for index, batch in enumerate(batches):
            count += 1
            self._recognize(index, batch)
            if index < self.partial.batches:
                continue
            self._batch(batch, sized)
            self.partial.batches, self.partial.switches = index + 1, 0
            self.partial.save()
        return count

    def stop(self) -> None:
        """Keep what is done; an interrupted measurement loses nothing."""
        self.partial.evaluations = self.evaluator.evaluations
        if self.found:
            self.partial.save(now=True)

    def finish(self, count: int) -> SensitivityTable:
        found = self.found
        rows = {
            (output, metric): ranked(self._row(s, output, metric) for s in found)
            for output in self.evaluator.outputs
            for metric in self.metrics
        }
        brute_force = self.evaluator.modules * (1 + len(found)) * count
        self.partial.remove()
        return SensitivityTable(rows, self.evaluator.evaluations, brute_force, self.partial.samples)

    def _recognize(self, index: int, batch: Any) -> None:
        digest = digest_of(batch)
        if index >= len(self.partial.seen):
            self.partial.seen.append(digest)
        elif self.partial.seen[index] != digest:
            raise fail(
                Diagnostic(
                    "QF284",
                    f"`{self.partial.path}` was begun with other data: batch {index} differs",
                    help="delete it to start anew",
                )
            )

    def _batch(self, batch: Any, sized: int | None) -> None:
        values = self._start(batch)
        found = self.found
        self.total = None if sized is None else sized * len(found)
        baseline = {n: _array(values[node], n) for n, node in self.evaluator.outputs.items()}
        if not self.partial.switches:
            self.partial.samples += len(next(iter(baseline.values())))
        done = self.partial.batches * len(found)
        for number, switch in enumerate(found):
            self.evaluator.forget(values, self.evaluator.position[switch.roots[0]])
            if number < self.partial.switches:
                continue
            self._measure(switch, values, baseline)
            self.partial.switches = number + 1
            self.partial.evaluations = self.evaluator.evaluations
            self.partial.save()
            if self.progress is not None:
                self.progress(done + number + 1, self.total, switch.address)

    def _start(self, batch: Any) -> Values:
        if self.watch is not None:
            return self.evaluator.start(batch)
        self.watch = Watch()
        with self.watch.on(tuple(quantizers(self.evaluator.module).values())):
            values = self.evaluator.start(batch, self.watch)
        self.found = switches(self.evaluator, self.watch, self.types)
        return values

    def _measure(self, switch: Switch, values: Values, baseline: Mapping[str, np.ndarray]) -> None:
        assert self.watch is not None
        with switch.on():
            # what only passes the fake-quantizer last need not be computed again
            started = {
                n: switch.quantizer(values[n])
                for n in switch.roots
                if (n, switch.quantizer) in self.watch.ends
            }
            outputs = self.evaluator.again(switch.dirty, values, started)
        for name, value in outputs.items():
            changed = _array(value, name, switch.address)
            for metric in self.metrics:
                place = self._place(switch, name, metric)
                similarity = self._similarity(metric, place)
                similarity.update(baseline[name], changed)
                self.partial.sums[place] = list(similarity.state)

    def _similarity(self, metric: str, place: str) -> Similarity:
        made: Similarity = registry.load(METRICS, metric)(self.partial.sums.get(place, ()))
        return made

    @staticmethod
    def _place(switch: Switch, output: str, metric: str) -> str:
        return f"{switch.path}/{output}/{metric}"

    def _row(self, switch: Switch, output: str, metric: str) -> Row:
        similarity = self._similarity(metric, self._place(switch, output, metric))
        return Row(
            switch.address,
            switch.kind,
            switch.op_type,
            similarity.result(),
            switch.dtype,
            switch.flops,
            similarity.score(),
            output,
        )


def _outputs(prepared: fx.GraphModule, asked: Sequence[str] | None) -> dict[str, fx.Node]:
    from qflow.tracing.inventory import outputs_of

    found = outputs_of(prepared.graph)
    _known("output", asked or (), tuple(found))
    return {n: found[n] for n in (found if asked is None else asked)}


def _known(what: str, words: Sequence[str], known: tuple[str, ...]) -> None:
    wrong = [w for w in words if w not in known]
    if wrong:
        listed = ", ".join(f"`{k}`" for k in known)
        raise fail(
            Diagnostic("QF110", f"there is no {what} `{wrong[0]}`", notes=(f"known: {listed}",))
        )


def _require_scales(prepared: fx.GraphModule, types: Sequence[str]) -> None:
    missing = [p for p, q in quantizers(prepared).items() if not q.observed]
    if missing:
        raise QflowError(
            tuple(
                Diagnostic(
                    "QF401",
                    f"no data ever reached the observer of `{path.rpartition('.')[0]}`",
                    help="calibrate the model before its sensitivity is measured",
                )
                for path in missing
            )
        )


def _array(value: Any, output: str, address: str = "") -> np.ndarray:
    """An output as float64. Raises QF403."""
    import torch

    array = value.detach().double().cpu()
    if not bool(torch.isfinite(array).all()):
        where = f" with `{address}` quantized alone" if address else ""
        raise fail(Diagnostic("QF403", f"output `{output}` is not finite{where}"))
    found: np.ndarray = array.numpy()
    return found
