"""loading: `load_checkpoint`: a state into a model, with a reason for every key left over."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from qflow import lint
from qflow.diagnostics import Diagnostic, QflowError, fail, sort
from qflow.plan.subject import CheckpointFact, Subject
from qflow.quantization.facts import facts_of
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_groups import KeyGroup, Shapes, group_keys
from qflow.quantization.key_names import is_quantizer, is_switch
from qflow.quantization.reconciling import Reconciled, reconcile
from qflow.quantization.state_file import read_state


@dataclass(frozen=True)
class LoadReport:
    loaded: tuple[str, ...]
    """Keys of the model that were given values."""
    groups: tuple[KeyGroup, ...]
    """What did not fit, per module, with the likely cause."""
    renamed: tuple[tuple[str, str], ...]
    """Key of the checkpoint and the key of the model it was given to."""
    folded: tuple[str, ...]
    """Batch norms of the checkpoint that were folded, as the model has them."""
    diagnostics: tuple[Diagnostic, ...]
    """What the rules say of the checkpoint: QF702, QF730."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys of the model that the checkpoint does not have."""
        return tuple(_key(g.address, part) for g in self.groups for part in g.missing)

    @property
    def unexpected(self) -> tuple[str, ...]:
        """Keys of the checkpoint that the model does not have."""
        return tuple(_key(g.address, part) for g in self.groups for part in g.unexpected)


@dataclass(frozen=True)
class Comparison:
    """A checkpoint held against a model, before anything is changed."""

    reconciled: Reconciled
    groups: tuple[KeyGroup, ...]
    subject: Subject
    float_only: bool
    """The checkpoint has weights and no scales, and all that is missing are scales."""


def load_checkpoint(
    model: nn.Module, state_or_path: Mapping[str, Tensor] | str | Path, strict: bool = True
) -> LoadReport:
    """Give a model the values of a checkpoint; a file is read without executing anything in it.

    Keys of the same model in another form are brought to the model's: weights of a fusion with or
    without its add, batch norms (folded where the model folds), the prefix `module.`. A float
    checkpoint leaves the scales of a prepared model as they are: calibrate then. States of older
    checkpoints are not taken over: call `set_fake_quantize` afterwards.

    Raises QflowError: QF302, QF311 for the file, and with `strict` QF320 when keys are missing,
    left over or of another shape, with the causes; then the model is left alone.
    """
    state = (
        read_state(Path(state_or_path)) if isinstance(state_or_path, (str, Path)) else state_or_path
    )
    found = compare(model, state)
    if strict and found.groups and not found.float_only:
        raise _refused(found.groups)
    fits = _fitting(model, found.reconciled.state)
    if strict and (metadata := getattr(state, "_metadata", None)) is not None:
        fits._metadata = metadata  # type: ignore[attr-defined]
    try:
        model.load_state_dict(fits, strict=False)
    except RuntimeError as error:
        reasons = tuple(line.strip() for line in str(error).splitlines()[1:] if line.strip())
        raise fail(
            Diagnostic(
                "QF320",
                "the checkpoint does not fit the model",
                notes=reasons,
                help="prepare the model as the one that was saved: scales, zero points, rounding",
            )
        ) from error
    return LoadReport(
        loaded=tuple(fits),
        groups=found.groups,
        renamed=tuple(found.reconciled.renamed),
        folded=tuple(found.reconciled.folded),
        diagnostics=sort(lint.run_model(found.subject)),
    )


def compare(model: nn.Module, state: Mapping[str, Tensor]) -> Comparison:
    """What of a checkpoint fits a model, and why the rest does not; nothing is changed."""
    reconciled = reconcile(model, state)
    wanted = _shapes(model.state_dict())
    plain = {k: v for k, v in reconciled.state.items() if not is_switch(k)}
    given = _fitted(_shapes(plain), wanted)
    groups = group_keys(wanted, given, facts_of(model))
    any_scale = any(map(is_quantizer, given))
    return Comparison(
        reconciled=reconciled,
        groups=groups,
        subject=Subject(checkpoint=_fact(state, groups, any_scale)),
        float_only=not any_scale and all(_is_scales(g) for g in groups),
    )


def _fact(
    state: Mapping[str, Tensor], groups: tuple[KeyGroup, ...], any_scale: bool
) -> CheckpointFact:
    """A checkpoint without any scale is a float one, which lacks none."""
    metadata = getattr(state, "_metadata", {})
    versions = {k.rpartition(".")[0] for k in state if k.endswith((".scale", ".zero_point"))}
    return CheckpointFact(
        missing=tuple(_key(g.address, p) for g in groups for p in g.missing) if any_scale else (),
        unexpected=tuple(_key(g.address, p) for g in groups for p in g.unexpected),
        versions=tuple(
            (p, int(metadata[p].get("version") or FakeQuantize._version))
            for p in sorted(versions)
            if p in metadata
        ),
        switches=tuple(k for k in state if is_switch(k)),
        causes=tuple((g.address, g.cause) for g in groups if g.missing),
    )


def _is_scales(group: KeyGroup) -> bool:
    parts = (is_quantizer(_key(group.address, p)) for p in group.missing)
    return not group.unexpected and not group.reshaped and all(parts)


def _refused(groups: tuple[KeyGroup, ...]) -> QflowError:
    missing, extra = sum(len(g.missing) for g in groups), sum(len(g.unexpected) for g in groups)
    other = sum(len(g.reshaped) for g in groups)
    counts = [
        f"{n} {what}"
        for n, what in ((missing, "missing"), (extra, "unexpected"), (other, "of another shape"))
        if n
    ]
    return fail(
        Diagnostic(
            "QF320",
            f"the checkpoint does not fit the model: {', '.join(counts)}",
            notes=tuple(g.text for g in groups),
            help="build the model as it was when the checkpoint was written; `strict=False` loads "
            "what fits, and scales that are missing stay 1",
        )
    )


def _fitting(model: nn.Module, state: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    wanted = _shapes(model.state_dict())
    given = _fitted(_shapes(state), wanted)
    return OrderedDict((k, v) for k, v in state.items() if wanted.get(k) == given[k])


def _fitted(given: Shapes, wanted: Shapes) -> dict[str, tuple[int, ...]]:
    """A single number may be stored as a scalar or as a list of one."""
    single = ((), (1,))
    return {
        k: wanted[k] if s in single and wanted.get(k) in single else s for k, s in given.items()
    }


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {k: tuple(v.shape) for k, v in state.items()}


def _key(address: str, part: str) -> str:
    return f"{address}.{part}" if address else part
