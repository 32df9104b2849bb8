"""Every operator in the forms models write it: traced to its attributes, and its meaning is theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow import registry
from qflow.emulation.op import Example, op
from qflow.quantization.prepared import PreparedNode
from qflow.tracing import trace
from qflow.tracing.call import call_of
from qflow.tracing.folding import alone

NAMES = registry.names("emulation.ops")
CASES = [
    pytest.param(name, example, text, id=f"{name}: {text}")
    for name in NAMES
    for example in (*op(name).examples, *op(name).float_examples)
    for text in example.written
]
BORDERS = ("input", "quant", "dequant")
"""What a trace puts around a model that has no stubs."""
OPERANDS = "xyzm"
"""Names of the operands in what is written."""
TOP = 10
"""Below it lie the whole numbers that stand for words."""


class Model(nn.Module):
    """One expression of x, y, z and m, or one module on them."""

    def __init__(self, text: str, count: int, parts: int = 0) -> None:
        super().__init__()
        self.text = text
        self.count = count
        self.parts = parts
        """How many parts of a tuple are picked out of it; 0: the result is no tuple."""
        self.made: Any = None
        if text.startswith("nn."):
            self.made = eval(text, {"nn": nn})

    def forward(
        self,
        x: Tensor,
        y: Tensor | None = None,
        z: Tensor | None = None,
        m: Tensor | None = None,
    ) -> Any:
        result = self.result(x, y, z, m)
        return tuple(result[i] for i in range(self.parts)) if self.parts else result

    def result(self, *given: Tensor | None) -> Any:
        operands = given[: self.count]
        if self.made is not None:
            return self.made(*operands)
        names = dict(zip(OPERANDS, operands, strict=False))
        return eval(self.text, {"torch": torch, "F": functional, "nn": nn, **names})


def data(example: Example) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    kinds = example.kinds or ("float",) * len(example.shapes)
    return [of_kind(k, s, generator) for k, s in zip(kinds, example.shapes, strict=True)]


def of_kind(kind: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    normal = torch.randn(shape, generator=generator)
    made = {
        "float": normal,
        "positive": normal.abs() + 0.1,
        "above one": normal.abs() + 1,
        "unit": normal.clamp(-0.9, 0.9),
        "mask": normal > 0,
        "index": torch.randint(0, TOP, shape, generator=generator),
    }
    return made[kind]


def first_parts(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


@pytest.mark.parametrize(("name", "example", "text"), CASES)
def test_traced_to_its_attributes(name: str, example: Example, text: str) -> None:
    operator = op(name)
    operands = data(example)
    result = Model(text, len(operands)).eval()(*[x.clone() for x in operands])
    parts = len(result) if isinstance(result, (tuple, list)) else 0
    model = Model(text, len(operands), parts)
    inputs = dict(zip(OPERANDS, operands, strict=False))
    traced = trace(model, inputs, tuple(f"out{i}" for i in range(parts or 1)), "model")
    calls = [c for n in traced.module.graph.nodes if (c := call_of(n)) and c.op not in BORDERS]
    assert calls, "nothing was traced"
    assert [c.op for c in calls] == [name] * len(calls), calls[-1].detail
    assert dict(calls[-1].attributes) == dict(example.attributes)
    has_integers = example in operator.examples
    assert bool(calls[-1].float_only) != has_integers or not operator.integer


@pytest.mark.parametrize(("name", "example", "text"), CASES)
def test_meaning_is_what_torch_computes(name: str, example: Example, text: str) -> None:
    operands = data(example)
    model = Model(text, len(operands)).eval()
    node = PreparedNode("op", "op", name, (), dict(example.attributes))
    with torch.no_grad():
        if (made := model.made) is not None and getattr(made, "weight", None) is not None:
            for parameter in made.parameters():
                parameter.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(1))
            weight, bias = made.weight, getattr(made, "bias", None)
            if name == "batch_norm":  # it is recorded as one factor and one offset per channel
                weight, bias = (parameter.float() for parameter in alone(made))
            node = replace(
                node,
                weight=weight.detach().numpy(),
                bias=None if bias is None else bias.detach().numpy(),
            )
        expected = first_parts(model(*[x.clone() for x in operands]))
        found = first_parts(op(name).meaning(node, *operands))
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_only_what_becomes_another_operator_has_no_integer_form() -> None:
    assert {n for n in NAMES if not op(n).integer} == {"centered_yuv2rgb", "quant", "dequant"}
