"""What a traced module returns has the classes the model gave it: with order, with attributes."""

import copy
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, fields

import pytest
import torch
from torch import Tensor, fx, nn

from qflow.quantization import facts, prepare
from qflow.tracing import fuse, trace_call
from qflow.tracing.call import output_names


@dataclass
class Answer(OrderedDict):
    """A dictionary whose entries are attributes as well; None is no entry."""

    hidden: Tensor | None = None
    states: tuple[Tensor, ...] | None = None
    parts: Mapping[str, Tensor] | None = None

    def __post_init__(self) -> None:
        given = ((f.name, getattr(self, f.name)) for f in fields(self))
        self.update({name: value for name, value in given if value is not None})


class Locked(dict):
    """A dictionary that only its maker can fill."""

    def __init__(self, *, secret: str, **items: Tensor) -> None:
        super().__init__(**items)


class Answers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Answer:
        y = self.first(x)
        z = self.second(y)
        return Answer(hidden=z, states=(y, z), parts=OrderedDict(b=y, a=z))


class Locks(nn.Module):
    def forward(self, x: Tensor) -> Locked:
        return Locked(secret="", out=torch.relu(x))


@pytest.mark.parametrize("method", ["example", "symbolic"])
def test_mappings_are_what_they_were(method: str) -> None:
    net, x = Answers(), torch.randn(2, 4)
    found = trace_call(net, (x,), method=method)
    assert output_names(found.module.graph) == (
        "hidden",
        "states_0",
        "states_1",
        "parts_b",
        "parts_a",
    )
    wanted = net(x)
    fused = fuse(found, ())
    runs = (found.module, copy.deepcopy(found.module), fused, fx.Interpreter(fused).run)
    for result in (run(x) for run in runs):
        assert type(result) is Answer
        assert type(result.states) is tuple
        assert type(result.parts) is OrderedDict
        assert list(result.parts) == ["b", "a"]
        assert torch.equal(result.hidden, wanted.hidden)
        assert torch.equal(result["states"][0], wanted.states[0])


def test_a_prepared_model_answers_as_the_model_does() -> None:
    x = torch.randn(2, 4)
    model = prepare(Answers(), (x,), march="generic", out_dir=None)
    assert type(model(x)) is type(copy.deepcopy(model)(x)) is Answer
    assert facts.facts_of(model) is not None
    (model(x).hidden.sum() + model(x).parts["a"].sum()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_class_that_cannot_be_made_of_its_entries_is_a_dictionary() -> None:
    result = trace_call(Locks(), (torch.ones(1, 2),)).module(torch.ones(1, 2))
    assert type(result) is dict
    assert torch.equal(result["out"], torch.ones(1, 2))
