"""P10: the dequantize under `self.training`, and always."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    class Detector(nn.Module):
        def __init__(self):
            self.dequant = DeQuantStub()
        def forward(self, x):
            if self.training:
                x = self.dequant(x)
            return x
"""
RIGHT = """
    class Detector(nn.Module):
        def __init__(self):
            self.dequant = DeQuantStub()
        def forward(self, x):
            return self.post(self.dequant(x))
        @wrap()
        def post(self, x):
            return x if self.training else decode(x)
"""


def wrong() -> Findings:
    return script(WRONG)


def right() -> Findings:
    return script(RIGHT)
