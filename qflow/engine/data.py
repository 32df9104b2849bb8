"""data: a `data` block at work: the loader called, its samples chosen, checked and batched."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.engine import digest, entry, seeds
from qflow.engine.located import Located
from qflow.engine.sample import Reader, Sample
from qflow.engine.sources import opening
from qflow.plan.plan import Data, DataSpec, PortPlan


@dataclass(frozen=True)
class Batch:
    """Samples stacked along a new first dimension."""

    inputs: dict[str, np.ndarray]
    target: np.ndarray | None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class DataSet:
    """The samples a block means, in the order they are used."""

    spec: DataSpec
    source: Any
    """What the loader returned: it has a length and takes an index."""
    indices: tuple[int, ...]
    reader: Reader

    def __len__(self) -> int:
        return len(self.indices)

    def batches(self, *, epoch: int | None = None) -> Iterator[Batch]:
        """One pass. `epoch` None keeps the order; a number shuffles, in the same way every time.

        Raises QflowError QF315 when samples of a batch have different shapes.
        """
        order = np.asarray(self.indices)
        if epoch is not None:
            seed = seeds.seed_of(self.spec.seed, "order", self.spec.name, epoch)
            order = np.random.default_rng(seed).permutation(order)
        # loaders that draw random numbers draw the same ones in the same pass
        seeds.start(self.spec.seed, "samples", self.spec.name, epoch)
        for start in range(0, len(order), self.spec.batch):
            yield self._stack(
                [self._sample(int(i)) for i in order[start : start + self.spec.batch]]
            )

    def _sample(self, index: int) -> Sample:
        with entry.UserCode(f"sample {index} of data `{self.spec.name}`", self.reader.at):
            raw = self.source[index]
        return self.reader.read(raw, index)

    def _stack(self, samples: Sequence[Sample]) -> Batch:
        first = samples[0]
        parts = {n: [s.inputs[n] for s in samples] for n in first.inputs}
        targets = [s.target for s in samples if s.target is not None]
        if len(targets) not in (0, len(samples)):
            raise self._uneven("targets", "some samples have one and some do not")
        inputs = {n: self._one(f"input `{n}`", arrays) for n, arrays in parts.items()}
        return Batch(inputs, self._one("targets", targets) if targets else None)

    def _one(self, what: str, arrays: Sequence[np.ndarray]) -> np.ndarray:
        shapes = sorted({a.shape for a in arrays})
        if len(shapes) > 1:
            raise self._uneven(what, f"shapes {list(shapes[0])} and {list(shapes[1])} in one batch")
        return np.stack(arrays)

    def _uneven(self, what: str, why: str) -> Exception:
        return fail(
            Diagnostic(
                "QF315",
                f"{what} of data `{self.spec.name}` cannot be stacked: {why}",
                at=self.reader.at,
                help="make the samples alike in the loader, or set `batch = 1`",
            )
        )

    @cached_property
    def digest(self) -> str:
        """sha256 over every byte of every sample used; reads and checks them all."""
        return self.check(lambda samples: None)

    def check(self, advance: Callable[[int], None]) -> str:
        """Find the digest, telling how many samples were read since the last call."""
        total = digest.Arrays()
        for batch in self.batches():
            for name, array in sorted(batch.inputs.items()):
                total.add(name, array)
            if batch.target is not None:
                total.add("target", batch.target)
            advance(len(batch))
        found = total.hexdigest()
        vars(self)["digest"] = found
        return found

    @cached_property
    def has_targets(self) -> bool:
        return self._sample(self.indices[0]).target is not None


def load(spec: DataSpec, inputs: tuple[PortPlan, ...], folder: Path) -> DataSet:
    """Call the loader of a block, or open its source.

    Raises QflowError: QF312 for the entry point, QF315 for what it returned, QF404 for no samples;
    of a source QF302, QF370 to QF374 and QF405.
    """
    if spec.source:
        return _of_source(spec, inputs, folder)
    at = entry.span_of(spec.fields, "loader", spec.at)
    loader = entry.find(spec.loader, folder, at)
    if not callable(loader):
        raise fail(
            Diagnostic(
                "QF312",
                f"`{spec.loader}` is a {type(loader).__name__}, not a function",
                at=at,
                help="name a function that returns the samples",
            )
        )
    seeds.start(spec.seed, "loader", spec.name)
    with entry.importable(folder), entry.UserCode(f"the loader `{spec.loader}`", at):
        source = loader(**_arguments(loader, spec))
    for method, does in (("__len__", "has no length"), ("__getitem__", "takes no index")):
        if not hasattr(source, method):
            raise fail(_not_a_set(spec, source, does, at))
    with entry.UserCode(f"the length of data `{spec.name}`", at):
        total = len(source)
    if total == 0:
        raise _empty(spec, f"`{spec.loader}` returned no samples", at)
    return DataSet(spec, source, _indices(spec, total), Reader(spec.name, inputs, at))


def _of_source(spec: DataSpec, inputs: tuple[PortPlan, ...], folder: Path) -> DataSet:
    """The samples of a file or folder; a bad one is told with its place in the program."""
    at = entry.span_of(spec.fields, "source", spec.at)
    with Located(at):
        source = opening.opened(spec, inputs, folder, at)
    if not len(source):
        raise _empty(spec, f"put samples into `{spec.source}`", at)
    reader = Reader(spec.name, inputs, at, spec.source)
    return DataSet(spec, source, _indices(spec, len(source)), reader)


def _empty(spec: DataSpec, help_: str, at: Span | None) -> Exception:
    return fail(Diagnostic("QF404", f"data `{spec.name}` is empty", at=at, help=help_))


def _indices(spec: DataSpec, total: int) -> tuple[int, ...]:
    """The first `samples`, of a seeded permutation where the block gives a seed."""
    if spec.samples is None:
        return tuple(range(total))
    if "seed" not in dict(spec.fields):
        return tuple(range(min(spec.samples, total)))
    chosen = seeds.seed_of(spec.seed, "samples", spec.name)
    order = np.random.default_rng(chosen).permutation(total)
    return tuple(int(i) for i in order[: spec.samples])


def _arguments(loader: Callable[..., Any], spec: DataSpec) -> dict[str, Any]:
    """The block's own arguments, and `seed` and `samples` where the loader takes them."""
    given = {name: plain(value) for name, value in spec.args}
    try:
        takes = inspect.signature(loader).parameters
    except ValueError:
        # built-in callables have no signature to read
        return given
    offered = {"seed": spec.seed, "samples": spec.samples}
    return {**{n: v for n, v in offered.items() if n in takes}, **given}


def plain(value: Data) -> Any:
    """A value of the plan as the Python value its writer meant: lists and dicts."""
    if not isinstance(value, tuple):
        return value
    if value and all(isinstance(v, tuple) and len(v) == 2 and isinstance(v[0], str) for v in value):
        return {pair[0]: plain(pair[1]) for pair in value}  # type: ignore[index]
    return [plain(v) for v in value]  # type: ignore[arg-type]


def _not_a_set(spec: DataSpec, source: Any, does: str, at: Span | None) -> Diagnostic:
    return Diagnostic(
        "QF315",
        f"`{spec.loader}` returned a {type(source).__name__}, which {does}",
        at=at,
        help="return a list or an object with `__len__` and `__getitem__`, such as a torch Dataset",
    )
