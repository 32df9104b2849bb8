"""P22: a module exchanged after prepare, and before."""

from torch import nn

from tests.lint.pitfalls.by import Findings, model, prepared, script, validated
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    model = prepare(net, x, march="nash-m")
    model.head = nn.Linear(4, 4)
    model.body.register_forward_hook(show)
"""
RIGHT = """
    net.head = nn.Linear(4, 4)
    net.body.register_forward_hook(show)
    model = prepare(net, x, march="nash-m")
    model.threshold = 0.5
"""


def wrong() -> Findings:
    changed = prepared(Behind())
    model(changed)
    changed.head = nn.Conv2d(3, 4, 1)
    found = script(WRONG)
    assert [d.code for d in found] == ["QF722", "QF722"], found
    return model(changed)


def right() -> Findings:
    same = prepared(Behind())
    model(same)
    return (*model(validated(same)), *script(RIGHT))
