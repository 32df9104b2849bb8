"""P19: the swing left out, and said."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    from qflow.functional import rgb2centered_yuv
    yuv = rgb2centered_yuv(images)
"""
RIGHT = """
    from qflow.functional import bgr2centered_yuv, rgb2centered_yuv
    yuv = rgb2centered_yuv(images, swing="full")
    yuv = bgr2centered_yuv(images, "full")
"""


def wrong() -> Findings:
    return script(WRONG)


def right() -> Findings:
    return script(RIGHT)
