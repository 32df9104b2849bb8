"""switches: every quantized tensor of a prepared model, and how to quantize it alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.analysis.ablation.readers import Watch
from qflow.quantization.key_names import INPUT, OUTPUT, WEIGHT

if TYPE_CHECKING:
    from torch import fx, nn

    from qflow.analysis.ablation.evaluator import Evaluator
    from qflow.quantization.fake_quantize import FakeQuantize

_KINDS = {OUTPUT: "activation", WEIGHT: "weight", INPUT: "input"}
"""Child of a module to what its fake-quantizer is about."""
_ORDER = ("input", "weight", "activation")


@dataclass(frozen=True)
class Switch:
    """One quantized tensor."""

    path: str
    """Of its fake-quantizer."""
    address: str
    kind: str
    """`activation`, `weight` or `input`."""
    quantizer: FakeQuantize
    roots: tuple[fx.Node, ...]
    """Nodes that run the fake-quantizer: the owner of a scale group and its members."""
    dirty: tuple[fx.Node, ...]
    """Everything that may change, in execution order."""
    op_type: str
    dtype: str
    flops: str

    @contextmanager
    def on(self) -> Iterator[None]:
        """This one rounds while the block runs."""
        self.quantizer.quantizing = True
        try:
            yield
        finally:
            self.quantizer.quantizing = False


def quantizers(prepared: nn.Module) -> dict[str, FakeQuantize]:
    """Every fake-quantizer by its path."""
    from qflow.quantization.fake_quantize import FakeQuantize

    return {p: m for p, m in prepared.named_modules() if isinstance(m, FakeQuantize)}


def switches(evaluator: Evaluator, watch: Watch, types: Sequence[str]) -> tuple[Switch, ...]:
    """Every quantized tensor of these types that the outputs depend on, in execution order."""
    total = sum(_operations(n) for n in dict.fromkeys(evaluator.nodes))
    found = []
    for path, quantizer in quantizers(evaluator.module).items():
        address, kind = _place(path)
        roots = tuple(watch.readers.get(quantizer, {}))
        if kind not in types or not roots:
            continue
        own = next((n for n in roots if str(n.target) == address), roots[0])
        found.append(
            Switch(
                path,
                address,
                kind,
                quantizer,
                roots,
                evaluator.downstream(roots),
                _type(own),
                f"q{quantizer.dtype.name}",
                _share(_operations(own), total),
            )
        )

    def order(switch: Switch) -> tuple[int, int, str]:
        first = evaluator.position[switch.roots[0]]
        return first, _ORDER.index(switch.kind), switch.path

    return tuple(sorted(found, key=order))


def _place(path: str) -> tuple[str, str]:
    """`head.activation_pre_process.0` is about the `input` of `head`."""
    parts = path.split(".")
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] in _KINDS:
            return ".".join(parts[:index]), _KINDS[parts[index]]
    return path, "activation"


def _type(node: fx.Node) -> str:
    from qflow.tracing.call import call_of

    call = call_of(node)
    return call.type if call else str(node.target)


def _operations(node: fx.Node) -> int:
    """A multiply-accumulate is two operations; of one sample."""
    from qflow.tracing.call import call_of

    call = call_of(node)
    return 2 * call.macs if call else 0


def _share(part: int, total: int) -> str:
    return f"{part}({part / total if total else 0.0:.2%})"


@contextmanager
def all_off(prepared: nn.Module) -> Iterator[None]:
    """Evaluation mode and no fake-quantizer at work; afterwards everything is as it was."""
    modes = [(m, m.training) for m in prepared.modules()]
    states = [(q, q.observing, q.quantizing) for q in quantizers(prepared).values()]
    prepared.eval()
    for quantizer, _, _ in states:
        quantizer.observing = quantizer.quantizing = False
    try:
        yield
    finally:
        for quantizer, observing, quantizing in states:
            quantizer.observing, quantizer.quantizing = observing, quantizing
        for module, training in modes:
            module.training = training
