"""attributes: `module.qconfig = ...`: a child without one takes its parent's, None means float."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from qflow.quantization.deciding import Answer, Decision
from qflow.quantization.qconfig import QConfig, require_qconfig
from qflow.quantization.scene import Scene

Attributes = Mapping[str, QConfig | None]
"""Address to the qconfig that was put on that very module."""


def attributes_of(model: nn.Module) -> dict[str, QConfig | None]:
    """Every `qconfig` attribute of a model. Raises QflowError: QF113 for one that is no QConfig."""
    found = {
        address: vars(module)["qconfig"]
        for address, module in model.named_modules(remove_duplicate=False)
        if "qconfig" in vars(module)
    }
    for address, value in found.items():
        require_qconfig(value, f"the `qconfig` of `{address or 'the model'}`")
    return found


def holder(attributes: Attributes, address: str) -> str | None:
    """Address of the module whose qconfig holds at `address`; None where there is none."""
    while address not in attributes:
        if not address:
            return None
        address = address.rpartition(".")[0]
    return address


def decide(scene: Scene, attributes: Attributes) -> Answer:
    """What the attributes say. A generated child takes the qconfig of the module it belongs to.

    A fusion takes the weight from its gemm's qconfig, the rest from that of the last member which
    has one of its own, else from the qconfig that holds at its address.
    """
    decisions = {}
    for unit in scene.units:
        speaks = next((m for m in reversed(scene.members(unit)) if m in attributes), None)
        at = speaks if speaks is not None else holder(attributes, unit)
        if at is None:
            continue
        gemm = holder(attributes, scene.gemm(unit))
        weight = attributes[gemm] if gemm is not None else None
        output = attributes[at]
        qconfig = output
        if output is not None and unit in scene.at:
            qconfig = QConfig(output.output, weight.weight if weight else None, output.input)
        decisions[unit] = Decision(qconfig, f"qconfig of {at or 'the model'}", explicit=at == unit)
    return Answer(decisions)
