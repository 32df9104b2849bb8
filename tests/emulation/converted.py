"""Networks of tests/networks, prepared, calibrated on their examples and lowered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from qflow import march as marches
from qflow.emulation.coverage import Coverage, coverage
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import Lowered, lower
from qflow.quantization import FakeQuantState, prepare, record, set_fake_quantize
from qflow.quantization.facts import facts_of
from qflow.quantization.prepared import PreparedGraph
from qflow.quantization.qconfig_template import (
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
)
from qflow.tracing.call import call_of
from qflow.tracing.given import input_name

SETTERS = {
    "int8": default_calibration_qconfig_setter,
    "int16": calibration_8bit_weight_16bit_act_qconfig_setter,
}
"""By the dtype of activations; weights are int8."""


@dataclass(frozen=True)
class Converted:
    model: Any
    """Fake-quantized, rounding."""
    prepared: PreparedGraph
    lowered: Lowered

    @property
    def graph(self) -> IntegerGraph:
        return self.lowered.graph

    @property
    def coverage(self) -> Coverage:
        facts = facts_of(self.model)
        assert facts is not None, "`prepare` made it"
        absorbed = {p.address: p.absorbed_by for p in facts.plans if p.absorbed_by is not None}
        return coverage(self.graph, facts.inventory, absorbed)

    def fake_quant(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the fake-quantized model hands over where the integer model has its outputs."""
        seen: dict[str, Tensor] = {}
        calls: Counter[str] = Counter()

        def note(address: str) -> Any:
            def hook(_module: nn.Module, _args: Any, result: Any) -> None:
                repeat = calls[address]
                calls[address] += 1
                seen[f"{address}#{repeat}" if repeat else address] = result

            return hook

        addresses = {c.address for n in self.model.graph.nodes if (c := call_of(n))}
        handles = [
            self.model.get_submodule(a).register_forward_hook(note(a))
            for a in addresses - set(self.names)
        ]
        with torch.no_grad():
            self.model(**inputs)
        for handle in handles:
            handle.remove()
        # one part of several is `<id>:<k>`
        found = {}
        for name, source in self.prepared.outputs:
            whole, _, part = source.partition(":")
            found[name] = seen[whole][int(part)] if part else seen[whole]
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Of the model's inputs."""
        return tuple(n for node in self.model.graph.nodes if (n := input_name(node)) is not None)

    def given(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Those that the integer model reads."""
        return {n: inputs[n] for n in (self.graph.by_id[i].address for i in self.graph.inputs)}


def convert(
    net: nn.Module,
    args: tuple[Tensor, ...],
    kwargs: Mapping[str, Tensor],
    march: str,
    dtype: str,
    unlisted: Literal["error", "float"] = "error",
) -> Converted:
    model = prepare(
        net, args, SETTERS[dtype], example_kw_inputs=dict(kwargs), march=march, out_dir=None
    )
    with torch.no_grad():
        set_fake_quantize(model, FakeQuantState.CALIBRATION)
        model(*args, **kwargs)
    set_fake_quantize(model.eval(), FakeQuantState.VALIDATION)
    prepared, target = record(model), marches.load(march)
    return Converted(model, prepared, lower(prepared, target, target.profile, unlisted))


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    a, b = (x.astype(np.float64).ravel() for x in (one, other))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
