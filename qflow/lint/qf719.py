"""QF719 (P19): a colour conversion whose swing is left to the default."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._script import Script, keyword

FORWARD = (
    *("rgb2yuv", "bgr2yuv", "rgb2centered_yuv", "bgr2centered_yuv"),
    *("rgb2gray", "bgr2gray", "rgb2centered_gray", "bgr2centered_gray"),
)
BACK = ("centered_yuv2rgb", "centered_yuv2bgr")


class Qf719:
    """Colours are wrong on the board.

    Why: `swing` is "studio" unless it is said, while a camera pipeline of this hardware gives full
    swing. RGB and BGR that are swapped, a pyramid input whose scale is not 1/128, and a missing
    128 look the same.

    How to mend: say `swing="full"`, centre the input, and keep the scale 1/128 for cameras.

    Anti-pattern:

        x = rgb2centered_yuv(x)

    Best practice:

        x = rgb2centered_yuv(x, swing="full")
    """

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for call in script.calls(*FORWARD, *BACK):
            if keyword(call, "swing", 1) is None:
                yield warning(
                    "QF719",
                    f"`{script.called(call)}` without a `swing` converts with studio swing",
                    script.span(call),
                    'say `swing="full"` or `swing="studio"`',
                )
