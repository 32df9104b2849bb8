"""P24: a moving average over two steps, and over a hundred."""

from tests.compile.models import of_entry
from tests.lint.pitfalls.by import Findings, file

FILE = """
    qflow 1
    model net {
      entry  = "nets:plain"
      input  = {image: float32[N, 1, 8, 8]}
      output = {logits: float32[N, 4]}
    }
    target board { march = "nash-m" }
    data calib { loader = "nets.data:calibration"; samples = 128; batch = BATCH }
    qconfig slow {
      base = w8a8
      act.observer = moving_average
      act.averaging_constant = 0.01
    }
    quantize { default use slow }
    schedule {
      stage calibrate on calib { state "**" = calibration }
    }
"""


def wrong() -> Findings:
    return file(FILE.replace("BATCH", "64"), of_entry("nets:plain"))


def right() -> Findings:
    return file(FILE.replace("BATCH", "1"), of_entry("nets:plain"))
