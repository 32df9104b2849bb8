"""P4: `eval()` after CALIBRATION, and before it."""

from qflow.quantization import FakeQuantState, set_fake_quantize
from tests.lint.pitfalls.by import Findings, model, prepared, script
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model.eval()
    for batch in batches:
        model(batch)
"""
RIGHT = """
    model.eval()
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    for batch in batches:
        model(batch)
    model.eval()
"""


def wrong() -> Findings:
    idle = prepared(Behind()).eval()
    set_fake_quantize(idle, FakeQuantState.CALIBRATION)
    idle.eval()
    assert {d.code for d in script(WRONG)} == {"QF704"}
    return model(idle)


def right() -> Findings:
    observing = prepared(Behind()).eval()
    set_fake_quantize(observing, FakeQuantState.CALIBRATION)
    return (*model(observing), *script(RIGHT))
