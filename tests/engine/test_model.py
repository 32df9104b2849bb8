"""The float model: its digests change with everything that changes what it computes."""

import torch
from torch import Tensor, fx, nn

from qflow.engine.model import FloatModel
from qflow.plan.inventory import Inventory
from qflow.tracing import Traced


class Net(nn.Module):
    def __init__(self, eps: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(2, eps=eps)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(image)


def structure(eps: float) -> str:
    torch.manual_seed(0)
    traced = Traced(fx.symbolic_trace(Net(eps).eval()), Inventory("m:net", (), ()))
    return FloatModel(traced).structure


def test_a_setting_that_is_in_no_graph_changes_the_structure() -> None:
    assert structure(1e-5) == structure(1e-5)
    assert structure(1e-5) != structure(0.1)
