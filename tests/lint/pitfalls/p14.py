"""P14: the march set after prepare, and once before."""

from tests.lint.pitfalls.by import Findings, model, prepared, script
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    from qflow import March, set_march
    from qflow.quantization import prepare
    model = prepare(net, x)
    set_march(March.Nash_m)
    set_march("nash-e")
"""
RIGHT = """
    from qflow import March, set_march
    from qflow.quantization import prepare
    set_march(March.NASH_M)
    model = prepare(net, x)
"""


def wrong() -> Findings:
    from qflow.march.current import with_march

    found = script(WRONG)
    assert len(found) == 3, found
    other = with_march("nash-e")(lambda: model(prepared(Behind())))()
    assert "QF714" in {d.code for d in other}
    return found


def right() -> Findings:
    return (*script(RIGHT), *model(prepared(Behind())))
