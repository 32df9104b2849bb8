"""Metrics: how good the outputs are against the targets; one file each, named in a `data` block.

Each class takes batches with `update(outputs, target)` and answers with `result()`, a float.
"""
