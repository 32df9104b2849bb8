"""checking: `check_model`: what is unusual in a prepared model, as findings and as a text file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from torch import nn

from qflow import lint
from qflow.atomic import write
from qflow.diagnostics import Diagnostic, sort
from qflow.plan.subject import Subject
from qflow.quantization.check_text import Checked, check_text
from qflow.quantization.eager_trace import trace_eager
from qflow.quantization.example_inputs import arguments
from qflow.quantization.facts import facts_of
from qflow.quantization.fingerprint import keep_fingerprint
from qflow.quantization.layers import Layer, has_graph, layers_of, with_sources
from qflow.quantization.subject import subject_of
from qflow.quantization.watching import is_leaf, tensors_of

FILE = "model_check_result.txt"


@dataclass(frozen=True)
class CheckResult:
    diagnostics: tuple[Diagnostic, ...]
    """Findings of the rules QF701 to QF730, sorted."""
    text: str
    """The six sections of `model_check_result.txt`."""
    subject: Subject
    """What the rules looked at."""


def check_model(
    prepared: nn.Module,
    example_inputs: Any = None,
    out_dir: str | Path | None = None,
    *,
    float_model: nn.Module | None = None,
) -> CheckResult:
    """Look at a prepared model: every pitfall rule, and the report in six sections.

    `example_inputs` (a tensor, a tuple of arguments, or a mapping of arguments by name) tells the
    dtypes of the inputs, and of a model without a graph what reads what; without them some of that
    stays unknown. With `out_dir` the text is written there as `model_check_result.txt`. Given the
    `float_model`, memory that both share is found. Nothing a check raises is swallowed.
    """
    layers = layers_of(prepared)
    inventory = None
    if example_inputs is not None and not has_graph(prepared):
        # what a graph knows, a model without one shows only when it runs
        args, kwargs = arguments(example_inputs)
        inventory = trace_eager(prepared, args, kwargs).inventory
        layers = with_sources(layers, inventory)
    inputs = tensors_of(example_inputs) if example_inputs is not None else None
    subject = subject_of(prepared, layers, inventory, inputs, float_model)
    text = check_text(_checked(prepared, layers, subject))
    keep_fingerprint(prepared)
    if out_dir is not None:
        write(Path(out_dir) / FILE, text)
    return CheckResult(sort(lint.run_model(subject)), text, subject)


check_qat_model = check_model
"""The field's name."""


def _checked(prepared: nn.Module, layers: tuple[Layer, ...], subject: Subject) -> Checked:
    facts = facts_of(prepared)
    modules = subject.inventory.modules if subject.inventory else ()
    calls = {m.address: m.calls for m in modules if m.op not in ("input", "output")}
    return Checked(
        layers=layers,
        unfused=facts.unfused if facts else (),
        types={m.address: m.type for m in modules},
        calls={**calls, **dict.fromkeys(_idle(prepared, calls), 0)} if calls else {},
    )


def _idle(prepared: nn.Module, calls: dict[str, int]) -> tuple[str, ...]:
    """Modules that never run. What a fusion absorbed is an identity, and does nothing anyway."""
    return tuple(
        address
        for address, module in prepared.named_modules()
        if address
        and is_leaf(address, module)
        and not isinstance(module, nn.Identity)
        # a module that is kept whole runs what is inside it
        and calls.keys().isdisjoint(accumulate(address.split("."), "{}.{}".format))
    )
