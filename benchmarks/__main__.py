"""Every benchmark, one table after the other: `make bench`."""

from __future__ import annotations

from benchmarks import calibration, fake_quant, growth, integer_forward, memory, verbs

if __name__ == "__main__":
    verbs.run()
    integer_forward.run()
    fake_quant.run()
    calibration.run()
    growth.run()
    memory.run()
