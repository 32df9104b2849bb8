"""sources: models and data that are files: what example inputs hold, how images become inputs."""

from qflow.records import dataclass

DISTRIBUTIONS = ("uniform", "normal", "zeros")
FILTERS = ("bilinear", "nearest", "bicubic")
FORMATS = ("rgb", "bgr", "gray", "yuv", "nv12")
"""What the channels of an image input hold. `nv12`: as `yuv`, with the colour of four pixels
averaged, as a camera delivers it."""
LAYOUTS = ("chw", "hwc")
TOLERANCE = 1e-4
"""How far an imported model may be from its file, relative to the largest output."""


@dataclass(frozen=True)
class Draw:
    """What an example input holds: drawn from a distribution, the same in every run."""

    input: str
    distribution: str
    low: float | None = None
    high: float | None = None
    """Values are of [low, high); of a normal distribution those outside are moved to the border."""
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class Preprocess:
    """From the pixels of an image file, 0..255, to an input: in the order of the fields."""

    resize: tuple[int, ...] = ()
    """The shorter side, or height and width; empty: the size it has."""
    filter: str = "bilinear"
    crop: tuple[int, ...] = ()
    """Height and width out of the middle."""
    format: str = "rgb"
    swing: str = "full"
    """Of `yuv` and `nv12`."""
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    """(x - mean) * scale, per channel as `format` has them, or one number for all."""
    layout: str = "chw"
