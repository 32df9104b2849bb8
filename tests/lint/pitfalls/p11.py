"""P11: a loop over data, bare and in a dynamic block."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    class Halve(nn.Module):
        def forward(self, x):
            while x.max() > 1:
                x = x * 0.5
            return x
"""
RIGHT = """
    class Halve(nn.Module):
        def forward(self, x):
            for _ in range(3):
                x = x * 0.5
            if x.shape[0] > 2:
                x = x + 1
            while x.max() > 1:
                with dynamic_block(self, "halve"):
                    x = x * 0.5
            return x
"""


def wrong() -> Findings:
    return script(WRONG)


def right() -> Findings:
    return script(RIGHT)
