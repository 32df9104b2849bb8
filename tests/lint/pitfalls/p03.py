"""P3: validation of what was never calibrated; an export right behind prepare."""

from qflow.quantization import FakeQuantState, set_fake_quantize
from tests.lint.pitfalls.by import Findings, model, prepared, script, validated
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    from qflow import set_march
    from qflow.quantization import prepare
    from qflow.export import export
    set_march("nash-m")
    model = prepare(net, x)
    export(model, x)
"""
RIGHT = """
    from qflow import set_march
    from qflow.quantization import FakeQuantState, prepare, set_fake_quantize
    from qflow.export import export

    def main():
        set_march("nash-m")
        model = prepare(net, x).eval()
        calibrate(model)
        export(model, x)

    def calibrate(net):
        set_fake_quantize(net, FakeQuantState.CALIBRATION)
        for batch in batches:
            net(batch)
        set_fake_quantize(net, FakeQuantState.VALIDATION)

    if __name__ == "__main__":
        main()
"""


def wrong() -> Findings:
    never = prepared(Behind()).eval()
    set_fake_quantize(never, FakeQuantState.VALIDATION)
    assert {d.code for d in script(WRONG)} == {"QF703"}
    return model(never)


def right() -> Findings:
    return (*model(prepared(Behind())), *model(validated(prepared(Behind()))), *script(RIGHT))
