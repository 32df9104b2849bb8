"""P20: the colour operator in the training graph with defaults, and in a wrapped method."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    class Camera(nn.Module):
        def forward(self, x):
            return self.net(centered_yuv2rgb(self.quant(x), swing="full"))
"""
RIGHT = """
    class Camera(nn.Module):
        def forward(self, x):
            return self.net(self.colour(self.quant(x)))
        @wrap()
        def colour(self, x):
            if self.training:
                return x
            return centered_yuv2rgb(x, "full", MEAN, STD, q_scale=0.0078)
"""


def wrong() -> Findings:
    found = script(WRONG)
    assert len(found) == 2, found
    return found


def right() -> Findings:
    return script(RIGHT)
