"""P12: a branch for training in the forward, and in a wrapped method."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    import numpy as np
    class Head(nn.Module):
        def forward(self, x):
            x = x * np.sqrt(2.0)
            if self.training:
                return self.loss(x)
            return x
"""
RIGHT = """
    import numpy as np
    class Head(nn.Module):
        def forward(self, x):
            return self.post_process(x)
        @fx_wrap()
        def post_process(self, x):
            if self.training:
                return self.loss(x)
            return x * np.sqrt(2.0)
"""


def wrong() -> Findings:
    found = script(WRONG)
    assert len(found) == 2, found
    return found


def right() -> Findings:
    return script(RIGHT)
