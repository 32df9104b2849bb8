"""Operators that move, pick or compare values: not one integer is new, so equality is all there is.

Grids have zero points, and every value of int8 is there: what pads and what fills is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import INDEX, MASK, Case, On, node_of, shape_last
from tests.conformance.tflite_writer import Operation, Value, constant, model, network

Writer = Callable[[IntegerGraph, Case], bytes]
GRIDS = {"int8": On(0.05, 3), "int16": On(0.05 / 256, 0, "int16")}
ROWS, IMAGE = (128, 24, 40), (4, 16, 30, 28)


def values(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    limits = np.iinfo(dtype)
    random = np.random.default_rng(seed)
    return random.integers(limits.min, limits.max + 1, shape).astype(dtype)


def writer(
    name: str,
    options: str = "",
    version: int = 2,
    *,
    before: tuple[np.ndarray, ...] = (),
    behind: tuple[Any, ...] = (),
    outputs: tuple[tuple[int, ...], ...] = (),
    **settings: Any,
) -> Writer:
    """Writes one operator; `before` and `behind` the operands are constants, `behind` also numbers
    on the operands' grid. `outputs` are the shapes of the results, where they are not that of the
    node, channels last."""

    def write(graph: IntegerGraph, case: Case) -> bytes:
        sources: list[Value | None] = [
            on.value(shape_last(x.shape)) for on, x in zip(case.sources, case.operands, strict=True)
        ]
        first = [constant(c) for c in before]
        last = [c if isinstance(c, Value) else constant(c) for c in behind]
        shapes = outputs or (shape_last(node_of(graph, case).output.shape),)
        target = INDEX if case.places else case.target
        targets = [target.value(shape) for shape in shapes]
        return model(name, [*first, *sources, *last], targets, options, version, **settings)

    return write


def ints(*numbers: Any) -> np.ndarray:
    return np.array(numbers, np.int32)


def moved(
    op: str, dtype: str, shape: tuple[int, ...], attributes: dict, write: Writer, **more: Any
) -> Case:
    """One operand, and the result on its grid."""
    on = GRIDS[dtype]
    return Case(op, (values(dtype, shape),), (on,), on, write, attributes, **more)


def reshaped(dtype: str) -> Iterator[Case]:
    write = writer("RESHAPE", "Reshape", 1, behind=(ints(128, 40, 24),))
    yield moved("reshape", dtype, ROWS, {"shape": (40, 24)}, write)


def flattened(dtype: str) -> Iterator[Case]:
    write = writer("RESHAPE", "Reshape", 1, behind=(ints(128, 960),))
    yield moved("flatten", dtype, ROWS, {"start": 1, "end": 2}, write)


def squeezed(dtype: str) -> Iterator[Case]:
    write = writer("SQUEEZE", "Squeeze", 1, squeezeDims=[1])
    yield moved("squeeze", dtype, (128, 1, 960), {"dims": (1,)}, write)


def unsqueezed(dtype: str) -> Iterator[Case]:
    write = writer("EXPAND_DIMS", "ExpandDims", 1, behind=(ints(1),))
    yield moved("unsqueeze", dtype, (128, 960), {"dim": 1}, write)


def permuted(dtype: str) -> Iterator[Case]:
    for dims in ((0, 2, 1), (2, 0, 1)):
        write = writer("TRANSPOSE", "Transpose", behind=(ints(*dims),))
        yield moved("permute", dtype, ROWS, {"dims": dims}, write)


def expanded(dtype: str) -> Iterator[Case]:
    write = writer("BROADCAST_TO", "BroadcastTo", behind=(ints(128, 24, 40),))
    yield moved("expand", dtype, (128, 1, 40), {"sizes": (-1, 24, -1)}, write)


def repeated(dtype: str) -> Iterator[Case]:
    write = writer("TILE", "Tile", behind=(ints(1, 3, 2),))
    yield moved("repeat", dtype, (128, 8, 20), {"times": (1, 3, 2)}, write)


def sliced(dtype: str) -> Iterator[Case]:
    """STRIDED_SLICE, and SLICE where every step is one."""
    for steps in ((1, 1, 1), (1, 2, 3)):
        starts, stops = (0, 3, 5), (128, 24, 39)
        sizes = tuple(-(-(b - a) // s) for a, b, s in zip(starts, stops, steps, strict=True))
        attributes = {"starts": starts, "stops": stops, "steps": steps, "shape": sizes}
        write = writer("SLICE", "Slice", behind=(ints(*starts), ints(*sizes)))
        if steps != (1, 1, 1):
            places = ints(*starts), ints(*stops), ints(*steps)
            write = writer("STRIDED_SLICE", "StridedSlice", behind=places)
        yield moved("slice", dtype, ROWS, attributes, write)


def split(dtype: str) -> Iterator[Case]:
    """SPLIT_V, every part of it."""
    sizes = (10, 6, 8)
    shapes = tuple((128, n, 40) for n in sizes)
    write = writer(
        "SPLIT_V", "SplitV", behind=(ints(*sizes), np.int32(1)), outputs=shapes, numSplits=3
    )
    for part in range(3):
        yield moved("split", dtype, ROWS, {"dim": 1, "sizes": sizes}, write, part=part)


def chunked(dtype: str) -> Iterator[Case]:
    """SPLIT, whose parts are equal."""
    write = writer(
        "SPLIT", "Split", before=(np.int32(2),), outputs=((128, 24, 20),) * 2, numSplits=2
    )
    for part in range(2):
        yield moved("chunk", dtype, ROWS, {"dim": 2, "sizes": (20, 20)}, write, part=part)


def unbound(dtype: str) -> Iterator[Case]:
    write = writer("UNPACK", "Unpack", outputs=((4096, 20),) * 2, num=2, axis=1)
    for part in range(2):
        yield moved("unbind", dtype, (4096, 2, 20), {"dim": 1}, write, part=part)


def joined(dtype: str) -> Iterator[Case]:
    on = GRIDS[dtype]
    for axis, last, shape in ((1, 3, IMAGE), (2, 1, IMAGE)):
        operands = tuple(
            values(dtype, (*shape[:axis], n, *shape[axis + 1 :]), n) for n in (3, 16, 5)
        )
        write = writer("CONCATENATION", "Concatenation", axis=last)
        yield Case("cat", operands, (on,) * 3, on, write, {"dim": axis})


def requantized(dtype: str) -> Iterator[Case]:
    """CONCATENATION of operands on other grids, each behind a QUANTIZE to that of the result."""
    on = GRIDS[dtype]
    for first, second in ((1.0, 0.5), (0.37, 1.0), (2.0, 1.9)):
        sources = On(on.scale * first, 0, dtype), On(on.scale * second, on.zero_point, dtype)
        operands = tuple(values(dtype, (4, n, 30, 28), n) for n in (8, 7))
        yield Case("cat", operands, sources, on, _write_requantized, {"dim": 1})


def _write_requantized(graph: IntegerGraph, case: Case) -> bytes:
    sources = [
        on.value(shape_last(x.shape)) for on, x in zip(case.sources, case.operands, strict=True)
    ]
    operations, joined = [], list(sources)
    for i, (source, on) in enumerate(zip(sources, case.sources, strict=True)):
        if on != case.target:
            joined[i] = case.target.value(source.shape)
            operations.append(Operation("QUANTIZE", [source], [joined[i]], "Quantize", 2))
    target = case.target.value(shape_last(node_of(graph).output.shape))
    last = Operation("CONCATENATION", joined, [target], "Concatenation", 2, {"axis": 3})
    return network([*operations, last], sources)


def stacked(dtype: str) -> Iterator[Case]:
    on = GRIDS[dtype]
    operands = tuple(values(dtype, (128, 960), i) for i in range(2))
    write = writer("PACK", "Pack", valuesCount=2, axis=1)
    yield Case("stack", operands, (on,) * 2, on, write, {"dim": 1})


def padded(dtype: str) -> Iterator[Case]:
    """PAD with the zero point, PADV2 with a number, MIRROR_PAD."""
    around = np.array([[0, 0], [1, 3], [2, 1], [0, 0]], np.int32)
    sides = (2, 1, 1, 3)
    plain = {"sides": sides, "mode": "constant", "value": 0.0}
    yield moved("pad", dtype, IMAGE, plain, writer("PAD", "Pad", behind=(around,)))
    number = Value(dtype, (1,), GRIDS[dtype].scale, GRIDS[dtype].zero_point)
    for value in (-0.524, 1e9):
        attributes = {**plain, "value": value}
        code = np.rint(np.float32(value) / np.float32(GRIDS[dtype].scale)) + number.zero_point
        held = np.clip(code, np.iinfo(dtype).min, np.iinfo(dtype).max)
        filled = constant(np.array([held], dtype), number.scale, number.zero_point)
        yield moved(
            "pad", dtype, IMAGE, attributes, writer("PADV2", "PadV2", behind=(around, filled))
        )
    mirrored = {**plain, "mode": "reflect"}
    yield moved("pad", dtype, IMAGE, mirrored, writer("MIRROR_PAD", "MirrorPad", behind=(around,)))


def shuffled(dtype: str) -> Iterator[Case]:
    """DEPTH_TO_SPACE has the places of a block before its channels, torch behind them."""
    n, channels, rows, columns = 4, 8, 30, 28

    def to_model(x: np.ndarray) -> np.ndarray:
        blocks = x.reshape(n, channels, 2, 2, rows, columns).transpose(0, 4, 5, 2, 3, 1)
        return np.ascontiguousarray(blocks.reshape(n, rows, columns, 4 * channels))

    write = writer("DEPTH_TO_SPACE", "DepthToSpace", 1, blockSize=2)
    shape = n, 4 * channels, rows, columns
    yield moved("pixel_shuffle", dtype, shape, {"factor": 2}, write, to_model=to_model)


def unshuffled(dtype: str) -> Iterator[Case]:
    n, channels, rows, columns = 4, 8, 30, 28

    def from_model(y: np.ndarray) -> np.ndarray:
        blocks = y.reshape(n, rows, columns, 2, 2, channels).transpose(0, 5, 3, 4, 1, 2)
        return blocks.reshape(n, 4 * channels, rows, columns)

    write = writer("SPACE_TO_DEPTH", "SpaceToDepth", blockSize=2)
    shape = n, channels, 2 * rows, 2 * columns
    yield moved("pixel_unshuffle", dtype, shape, {"factor": 2}, write, from_model=from_model)


def chosen(dtype: str) -> Iterator[Case]:
    on = GRIDS[dtype]
    mask = np.random.default_rng(3).integers(0, 2, ROWS).astype(bool)
    operands = mask, values(dtype, ROWS, 1), values(dtype, ROWS, 2)
    write = writer("SELECT_V2", "SelectV2")
    yield Case("where", operands, (MASK, on, on), on, write, {"yes": None, "no": None})


def filled(dtype: str) -> Iterator[Case]:
    """SELECT_V2 between a number and a tensor; what lies outside of the grid is its end."""
    on = GRIDS[dtype]
    mask = np.random.default_rng(4).integers(0, 2, ROWS).astype(bool)
    for value in (-0.524, float("-inf")):
        operands = values(dtype, ROWS, 1), mask
        yield Case("masked_fill", operands, (on, MASK), on, _write_filled, {"value": value})


def _write_filled(graph: IntegerGraph, case: Case) -> bytes:
    tensor, mask = (on.value(x.shape) for on, x in zip(case.sources, case.operands, strict=True))
    held = graph.constants[node_of(graph).constants["value"]]
    number = constant(held, case.target.scale, case.target.zero_point)
    target = case.target.value(tensor.shape)
    select = Operation("SELECT_V2", [mask, number, tensor], [target], "SelectV2", 2)
    return network([select], [tensor, mask])


def larger(op: str, dtype: str) -> Iterator[Case]:
    on = GRIDS[dtype]
    operands = values(dtype, ROWS, 1), values(dtype, ROWS, 2)
    write = writer(op.upper(), "MaximumMinimum")
    yield Case(op, operands, (on, on), on, write)


def extreme(op: str, dtype: str) -> Iterator[Case]:
    name = {"amax": "REDUCE_MAX", "amin": "REDUCE_MIN"}[op]
    for dims, keepdim, shape in (((2,), False, (520, 100, 9)), ((1,), True, (520, 9, 100))):
        write = writer(name, "Reducer", behind=(ints(*dims),), keepDims=keepdim)
        yield moved(op, dtype, shape, {"dims": dims, "keepdim": keepdim}, write)


def places(op: str, dtype: str) -> Iterator[Case]:
    """Where the largest or the smallest value is; rows of few values have it more than once."""
    name = {"argmax": "ARG_MAX", "min": "ARG_MIN"}[op]
    options = "ArgMax" if op == "argmax" else "ArgMin"
    for span in (256, 4):
        operand = (values(dtype, (17000, 3, 11)).astype(np.int64) % span - span // 2).astype(dtype)
        write = writer(name, options, behind=(ints(2),), outputType=2)
        attributes = {"dim": 2, "keepdim": False}
        part, on = None if op == "argmax" else 1, GRIDS[dtype]
        yield Case(op, (operand,), (on,), on, write, attributes, part=part, places=True)


def largest(dtype: str) -> Iterator[Case]:
    """TOPK_V2, values and places."""
    on, k = GRIDS[dtype], 4
    for span in (256, 4):
        operand = (values(dtype, (7000, 11)).astype(np.int64) % span - span // 2).astype(dtype)
        attributes = {"k": k, "dim": 1, "largest": True, "sorted": True}
        for part in range(2):
            ends = (operand,), (on,), on
            yield Case("topk", *ends, _write_topk, attributes, part=part, places=part == 1)


def _write_topk(graph: IntegerGraph, case: Case) -> bytes:
    operand, k = case.operands[0], case.attributes["k"]
    shape = (len(operand), k)
    sources = [case.sources[0].value(operand.shape), constant(np.array(k, np.int32))]
    return model("TOPK_V2", sources, [case.target.value(shape), INDEX.value(shape)], "TopKV2", 2)


def embedded(dtype: str) -> Iterator[Case]:
    """GATHER of a table that was brought onto the output's grid."""
    random = np.random.default_rng(9)
    index = random.integers(0, 500, (350, 20)).astype(np.int32)
    table = random.normal(0, 2, (500, 16)).astype(np.float32)
    on = GRIDS[dtype]
    yield Case("embedding", (index,), (INDEX,), on, _write_gather, weight=table)


def _write_gather(graph: IntegerGraph, case: Case) -> bytes:
    node = node_of(graph, case)
    table = graph.constants[node.constants["weight"]]
    rows = constant(table, case.target.scale, case.target.zero_point)
    index = INDEX.value(case.operands[0].shape)
    return model("GATHER", [rows, index], [case.target.value(node.output.shape)], "Gather", 2)


def clamped(dtype: str) -> Iterator[Case]:
    """RELU_N1_TO_1 and RELU_0_TO_1, on one grid."""
    random = np.random.default_rng(2)
    every = np.arange(-128, 128).reshape(1, 256).astype(dtype)
    for i in range(400):
        on = On(float(random.uniform(0.008, 0.03)), int(random.integers(-100, 100)), dtype)
        low = -1.0 if i % 2 else 0.0
        write = writer("RELU_N1_TO_1" if i % 2 else "RELU_0_TO_1", version=1)
        yield Case("clamp", (every,), (on,), on, write, {"low": low, "high": 1.0})
