"""Tracing: a float model as a graph of module calls, its inventory, and fusion.

Which file does what:

- in and out: traced (`trace`, `trace_call`), arguments and given (what a model is called with),
  outputs, results and returned (what it returns), trial (a first float forward), replay and
  digests (whether the graph does the same)
- by example: example with example_recorder, example_targets and example_numbers, float_functional,
  inner, inplace, overwriting, own_code
- symbolically: tracer, values
- what a user marks: wrapping with methods and wholes, blocks, leaves
- the graph that comes out: call (what a node is), facts, generated and names, operators, attention
  and parametric (functions as modules), stubbing and constness (stubs and constants), inventory
- reading it: dumping, diffing, taps (what every call gives)
- fusion: fusing, fused, folding, with_bn, lookalikes, recast
"""

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
