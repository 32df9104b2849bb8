"""P15: the default setter first, and last."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    setters = (default_qat_qconfig_setter, ModuleNameQconfigSetter({"head": wide}))
    model = prepare(net, x, qconfig_setter=setters, march="nash-m")
"""
RIGHT = """
    setters = (
        ModuleNameQconfigSetter({"head": wide}),
        sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter(table, ratio=0.2),
        default_qat_qconfig_setter,
    )
    model = prepare(net, x, qconfig_setter=setters, march="nash-m")
"""


def wrong() -> Findings:
    return script(WRONG)


def right() -> Findings:
    return script(RIGHT)
