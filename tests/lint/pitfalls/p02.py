"""P2: trained without the permute, deployed with it: the convolution's scale has no key."""

from qflow.quantization import load_checkpoint
from tests.lint.pitfalls.by import Findings, prepared, script, validated
from tests.lint.pitfalls.p01 import Before, Behind

WRONG = """
    from qflow.quantization import prepare
    model = prepare(net, x, march="nash-m")
    model.load_state_dict(torch.load("qat.pt"), strict=False)
"""
RIGHT = """
    from qflow.quantization import prepare
    model = prepare(net, x, march="nash-m")
    model.load_state_dict(torch.load("qat.pt"))
"""


def wrong() -> Findings:
    trained = validated(prepared(Behind())).state_dict()
    report = load_checkpoint(prepared(Before()), trained, strict=False)
    assert {d.code for d in script(WRONG)} == {"QF702"}
    return report.diagnostics


def right() -> Findings:
    trained = validated(prepared(Behind())).state_dict()
    report = load_checkpoint(prepared(Behind()), trained)
    return (*report.diagnostics, *script(RIGHT))
