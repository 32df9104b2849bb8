"""observer_v2: where the field keeps its observers; the same classes as in `field_observers`."""

from qflow.quantization.field_observers import (
    ClipObserver,
    ClipStdObserver,
    FixedScaleObserver,
    HistogramObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    MSEObserver,
    PercentileObserver,
)

__all__ = [
    "ClipObserver",
    "ClipStdObserver",
    "FixedScaleObserver",
    "HistogramObserver",
    "KLObserver",
    "MSEObserver",
    "MinMaxObserver",
    "MixObserver",
    "MovingAverageMinMaxObserver",
    "MovingAveragePerChannelMinMaxObserver",
    "PercentileObserver",
]
