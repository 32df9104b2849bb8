"""colour: an image input that takes a camera's colours, brought to the model's own by integers."""

from qflow.records import dataclass

SWINGS = ("full", "studio")
"""Every channel 0..255; or Y 16..235, U and V 16..240."""
OPERATORS = {"centered_yuv2rgb": "rgb", "centered_yuv2bgr": "bgr"}
"""Operator to the order of the channels the model was trained on."""


@dataclass(frozen=True)
class ColourPlan:
    """What stands between an input of the finished model and its stub."""

    input: str
    """Name of the model's input."""
    operator: str
    swing: str
    mean: tuple[float, ...]
    """One number or three, in the order of the model's channels, of values 0..255."""
    std: tuple[float, ...]
