"""P21: a float model that shares tensors with the prepared one, and a copy of it."""

from tests.lint.pitfalls.by import Findings, model, prepared, script
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    from qflow.quantization import prepare_qat_fx
    qat = prepare_qat_fx(net, march="nash-m")
    compare(net, qat)
"""
RIGHT = """
    import copy
    from qflow.quantization import prepare_qat_fx
    qat = prepare_qat_fx(copy.deepcopy(net), march="nash-m")
    compare(net, qat)
    net = prepare_qat_fx(net, march="nash-m")
    train(net)
"""


def wrong() -> Findings:
    net = Behind()
    sharing = prepared(net)
    sharing.head.weight = net.head.weight
    assert {d.code for d in script(WRONG)} == {"QF721"}
    return model(sharing, float_model=net)


def right() -> Findings:
    net = Behind()
    return (*model(prepared(net), float_model=net), *script(RIGHT))
