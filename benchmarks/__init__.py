"""Benchmarks: speed as ratios within one run, because absolute times belong to one machine."""
