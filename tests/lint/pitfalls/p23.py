"""P23: a backbone frozen by its gradients alone, and wholly."""

from torch import Tensor, nn

from qflow.quantization import FakeQuantState, set_fake_quantize
from tests.lint.pitfalls.by import Findings, Net, model, prepared, script, validated

WRONG = """
    model.backbone.eval()
    model.backbone.requires_grad_(False)
    set_fake_quantize(model.backbone, FakeQuantState.VALIDATION)
    for epoch in range(3):
        model.train()
        set_fake_quantize(model.head, FakeQuantState.QAT)
        fit(model)
"""
RIGHT = """
    for p in model.backbone.parameters():
        p.requires_grad = False
    for epoch in range(3):
        model.train()
        model.backbone.eval()
        set_fake_quantize(model, FakeQuantState.QAT)
        set_fake_quantize(model.backbone, FakeQuantState.VALIDATION)
        fit(model)
"""
HALF = """
    for p in model.backbone.parameters():
        p.requires_grad = False
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
"""


class Parts(Net):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 4, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


def wrong() -> Findings:
    assert [d.code for d in script(WRONG)] == ["QF723"]
    assert [d.code for d in script(HALF)] == ["QF723"]
    half = _training()
    half.backbone.weight.requires_grad_(False)
    half.backbone.bias.requires_grad_(False)
    return model(half)


def right() -> Findings:
    whole = _training()
    for parameter in whole.backbone.parameters():
        parameter.requires_grad_(False)
    whole.backbone.eval()
    set_fake_quantize(whole.backbone, FakeQuantState.VALIDATION)
    return (*model(whole), *model(_training()), *script(RIGHT))


def _training() -> nn.Module:
    training = validated(prepared(Parts())).train()
    set_fake_quantize(training, FakeQuantState.QAT)
    return training
