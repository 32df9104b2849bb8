"""P28: the float model, and the prepared one."""

from tests.lint.pitfalls.by import Findings, model, prepared, script
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    qat = prepare(net, x, march="nash-m")
    qat.load_state_dict(torch.load("qat.pt"))
    export(net, x)
"""
RIGHT = """
    net = prepare(net, x, march="nash-m")
    net.load_state_dict(torch.load("qat.pt"))
    export(net, x)
"""


def wrong() -> Findings:
    assert {d.code for d in script(WRONG)} == {"QF728"}
    return model(Behind())


def right() -> Findings:
    return (*model(prepared(Behind())), *script(RIGHT))
