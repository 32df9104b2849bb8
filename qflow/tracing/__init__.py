"""Tracing: a float model as a graph of module calls, its inventory, and fusion."""

from qflow.tracing.blocks import dynamic_block
from qflow.tracing.diffing import GraphDiff, diff
from qflow.tracing.dumping import dump
from qflow.tracing.fusing import fuse
from qflow.tracing.outputs import name_outputs
from qflow.tracing.traced import Traced, dead_modules, trace, trace_call
from qflow.tracing.tracer import Tracer
from qflow.tracing.wrapping import wrap

__all__ = [
    "GraphDiff",
    "Traced",
    "Tracer",
    "dead_modules",
    "diff",
    "dump",
    "dynamic_block",
    "fuse",
    "name_outputs",
    "trace",
    "trace_call",
    "wrap",
]
