"""parameters: weights and biases of a float model, named by the address they belong to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import NodeProto

_GEMMS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_ROLES = {1: "weight", 2: "bias"}
"""Places among the inputs of a product."""
_WRAPPER = "net."
"""What `tracing.taps.Tapped` puts before every name."""


def named(
    nodes: list[NodeProto], graph: Any, owners: dict[str, str]
) -> tuple[dict[str, str], dict[str, int]]:
    """Renames them in place; returns `ID.weight` to its name, and the axis of its channels.

    One that several products read keeps the name of the first.
    """
    stored = {i.name: i for i in graph.initializer}
    uses = Counter(name for node in nodes for name in node.input)
    found: dict[str, str] = {}
    axes: dict[str, int] = {}
    for node in nodes:
        if node.op_type not in _GEMMS:
            continue
        for place, role in _ROLES.items():
            name = node.input[place] if len(node.input) > place else ""
            if name not in stored:
                continue
            key = f"{owners[node.output[0]]}.{role}"
            if key not in stored and uses[name] == 1:
                stored[key] = stored.pop(name)
                stored[key].name = node.input[place] = name = key
            found.setdefault(key, name)
            if role == "weight":
                axes[key] = _axis(node)
    _without_wrapper(nodes, stored)
    return found, axes


def _without_wrapper(nodes: list[NodeProto], stored: dict[str, Any]) -> None:
    """Other parameters are called as in the model, not as in what it was captured with."""
    made = {t for node in nodes for t in node.output}
    short = {n: n.removeprefix(_WRAPPER) for n in stored if n.startswith(_WRAPPER)}
    short = {n: s for n, s in short.items() if s not in stored and s not in made}
    for node in nodes:
        for place, name in enumerate(node.input):
            node.input[place] = short.get(name, name)
    for name, wanted in short.items():
        stored[name].name = wanted


def _axis(node: NodeProto) -> int:
    flipped = any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if node.op_type == "Conv" or flipped else 1
