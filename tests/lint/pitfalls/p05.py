"""P5: evaluation in the state of training, and in that of validation."""

from qflow.quantization import FakeQuantState, set_fake_quantize
from tests.lint.pitfalls.by import Findings, model, prepared, script, validated
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    fit(model)
    evaluate(model)
"""
RIGHT = """
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    fit(model)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    evaluate(model)
"""


def wrong() -> Findings:
    training = validated(prepared(Behind())).train()
    set_fake_quantize(training, FakeQuantState.QAT)
    training.eval()
    assert {d.code for d in script(WRONG)} == {"QF705"}
    return model(training)


def right() -> Findings:
    return (*model(validated(prepared(Behind()))), *script(RIGHT))
