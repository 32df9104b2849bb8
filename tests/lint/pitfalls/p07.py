"""P7: a FloatFunctional called itself, and its method."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    import torch
    from qflow.nn.quantized import FloatFunctional
    from qflow.quantization import QuantStub, prepare_qat

    class Block(torch.nn.Module):
        def __init__(self):
            self.quant = QuantStub()
            self.add = FloatFunctional()
        def forward(self, x, y):
            return self.add(torch.cat([self.quant(x), x]), y)

    model = prepare_qat(Block(), march="nash-m")
"""
RIGHT = """
    import torch
    from qflow.nn.quantized import FloatFunctional
    from qflow.quantization import QuantStub, prepare_qat

    class Block(torch.nn.Module):
        def __init__(self):
            self.quant = QuantStub()
            self.add = FloatFunctional()
            self.cat = FloatFunctional()
        def forward(self, x, y):
            return self.add.add(self.cat.cat([self.quant(x), x]), y)

    model = prepare_qat(Block(), march="nash-m")
"""


def wrong() -> Findings:
    found = script(WRONG)
    assert len(found) == 2, found
    return found


def right() -> Findings:
    return script(RIGHT)
