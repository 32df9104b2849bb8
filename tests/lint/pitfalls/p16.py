"""P16: training with observers of calibration, and with those of training."""

from dataclasses import replace

from qflow.quantization import FakeQuantize, FakeQuantState, prepare, set_fake_quantize
from qflow.quantization.observers.min_max import MinMax
from tests.lint.pitfalls.by import QCONFIG, Findings, image, model, script, validated
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    model = prepare(net, x, default_calibration_qconfig_setter, march="nash-m")
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    rows = sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter(table, topk=3, ratio=0.2)
"""
RIGHT = """
    model = prepare(net, x, default_qat_qconfig_setter, march="nash-m")
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    rows = sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter(table, topk=None, ratio=0.2)
"""


def wrong() -> Findings:
    from qflow.quantization.observers.mse import Mse

    found = script(WRONG)
    assert [d.code for d in found] == ["QF716", "QF716"], found
    return _trains(Mse())


def right() -> Findings:
    return (*_trains(MinMax()), *script(RIGHT))


def _trains(observer: object) -> Findings:
    qconfig = replace(QCONFIG, output=FakeQuantize.with_args(observer=observer))
    training = validated(
        prepare(Behind(), (image(),), qconfig, march="nash-m", out_dir=None)
    ).train()
    set_fake_quantize(training, FakeQuantState.QAT)
    return model(training)
