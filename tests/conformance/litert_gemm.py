"""Convolutions and products: weights of one isolate the rescale, any weights show the sum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qflow.emulation.graph import IntegerGraph
from tests.conformance.litert_case import Case, On, channels_last, node_of, shape_last
from tests.conformance.tflite_writer import Value, constant, model
from tests.emulation import ties

SCALES = 32
PER_SCALE = 8
ZEROS = {"int8": (3, -7), "int16": (0, 0)}
LARGEST = 0.9
"""XNNPACK refuses convolutions that rescale by 256 and more; models rescale by less than 1."""
LOWEST = {"int8": 22, "int16": 14}
"""Rescales go down to 2^-n: an int32 bias reaches every output there."""


def ratios(two: bool, dtype: str, x: float, y: float) -> np.ndarray:
    """float32 weight scales for rescales from 2^-LOWEST to LARGEST; powers of two if `two`."""
    if two:
        exact = np.ldexp(1.0, -1 - (np.arange(SCALES) % LOWEST[dtype]))
    else:
        random = np.random.default_rng(7)
        exact = np.exp2(random.uniform(-LOWEST[dtype], np.log2(LARGEST), SCALES))
    return (exact * np.float32(y) / np.float32(x)).astype(np.float32)


def grids(two: bool, dtype: str) -> tuple[On, On]:
    source, target = (0.125, 0.5) if two else (0.0371, 0.0213)
    zeros = ZEROS[dtype]
    return On(source, zeros[0], dtype), On(target, zeros[1], dtype)


def accumulators(weight: np.ndarray, source: On, target: On, count: int = PER_SCALE) -> np.ndarray:
    """int64 [weight.size * count], nearest to ties of each weight scale."""
    exact = weight.astype(np.float64) * np.float32(source.scale) / np.float32(target.scale)
    top = np.iinfo(target.dtype).max
    near = [ties.near_ties(r, PER_SCALE, top, seed=i) for i, r in enumerate(exact.tolist())]
    return np.concatenate(near)


def bias_cases(op: str, dtype: str, one_scale: bool = False) -> Iterator[Case]:
    """Weights of one, and 256 values around each bias: accumulators on both sides of a tie.

    `one_scale` gives the weights of a layer one scale, and every scale a layer of its own.
    """
    for two in (False, True):
        source, target = grids(two, dtype)
        scales = ratios(two, dtype, source.scale, target.scale)
        acc = accumulators(scales, source, target)
        if not one_scale:
            yield _layer(op, source, target, np.repeat(scales, PER_SCALE), acc)
            continue
        for i, scale in enumerate(scales):
            part = acc[i * PER_SCALE : (i + 1) * PER_SCALE]
            yield _layer(op, source, target, np.array([scale]), part)


def _layer(op: str, source: On, target: On, scales: np.ndarray, acc: np.ndarray) -> Case:
    channels = acc.size
    values = np.arange(-128, 128).astype(source.dtype)
    image, weight = values.reshape(1, 1, 16, 16), np.ones((channels, 1, 1, 1))
    if op == "linear":
        rows, taps = values.reshape(-1, 1), np.ones((channels, 1))
        return Case(op, (rows,), (source,), target, write_linear, {}, taps, scales, acc)
    if op == "conv2d":
        attributes = window((1, 1))
        return Case(op, (image,), (source,), target, write_conv, attributes, weight, scales, acc)
    if op == "depthwise":
        images, attributes = np.repeat(image, channels, 1), window((1, 1), groups=channels)
        ends = (images,), (source,), target
        return Case("conv2d", *ends, write_conv, attributes, weight, scales, acc)
    attributes = {**window((1, 1)), "output_padding": (0, 0)}
    turned = weight.transpose(1, 0, 2, 3)
    ends = (image,), (source,), target
    return Case(op, *ends, write_transposed, attributes, turned, scales, acc, weight_axis=1)


def row_cases(dtype: str) -> Iterator[Case]:
    """conv1d: CONV_2D of images of one row, weights of one and biases as in `bias_cases`."""
    for two in (False, True):
        source, target = grids(two, dtype)
        scales = ratios(two, dtype, source.scale, target.scale)
        acc = accumulators(scales, source, target)
        row = np.arange(-128, 128).astype(dtype).reshape(1, 1, -1)
        attributes = {"kernel": (1,), "stride": (1,), "padding": (0, 0), "dilation": (1,)}
        yield Case(
            "conv1d",
            (row,),
            (source,),
            target,
            write_row,
            {**attributes, "groups": 1},
            np.ones((acc.size, 1, 1)),
            np.repeat(scales, PER_SCALE),
            acc,
            to_model=lambda x: np.ascontiguousarray(x.transpose(0, 2, 1)[:, None]),
            from_model=lambda y: y[:, 0].transpose(0, 2, 1),
        )


def write_row(graph: IntegerGraph, case: Case) -> bytes:
    weight, bias = _parameters(graph, case, 0)
    n, channels, columns = case.operands[0].shape
    filters = constant(np.ascontiguousarray(weight.transpose(0, 2, 1)[:, None]), case.weight_scale)
    sources = [case.sources[0].value((n, 1, columns, channels)), filters, bias]
    target = case.target.value((n, 1, columns, len(weight)))
    return model("CONV_2D", sources, [target], "Conv2D", padding=1, strideH=1, strideW=1)


def product_cases(dtype: str) -> Iterator[Case]:
    """Products of two activations; of powers of two half are ties."""
    random = np.random.default_rng(21)
    limits = np.iinfo(dtype)
    finer = 1.0 if dtype == "int8" else 2.0**-8
    zeros = (3, -7, 5) if dtype == "int8" else (0, 0, 0)
    ties_of = (0.25, 0.125, 8.0), (0.05, 0.03, 0.6), (0.25, 0.5, 32.0)
    others = [(*random.uniform(0.01, 0.1, 2), random.uniform(0.3, 1.0)) for _ in range(9)]
    for i, triple in enumerate((*ties_of, *others)):
        grids_of = [On(s * finer, z, dtype) for s, z in zip(triple, zeros, strict=True)]
        shapes = (10, 64, (8, 16, 24)[i % 3]), (10, (8, 16, 24)[i % 3], 64)
        operands = tuple(
            random.integers(limits.min, limits.max + 1, s).astype(dtype) for s in shapes
        )
        yield Case("matmul", operands, tuple(grids_of[:2]), grids_of[2], write_product)


def window(kernel: tuple[int, int], stride: int = 1, dilation: int = 1, groups: int = 1) -> dict:
    return {
        "kernel": kernel,
        "stride": (stride, stride),
        "padding": (0, 0, 0, 0),
        "dilation": (dilation, dilation),
        "groups": groups,
    }


def summed_cases(op: str, dtype: str) -> Iterator[Case]:
    """Real weights, strides and dilations, with and without a relu behind."""
    random = np.random.default_rng(4)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    for stride, dilation, activation in ((1, 1, None), (2, 1, "relu"), (1, 2, "relu6")):
        source, target = On(0.011, ZEROS[dtype][0], dtype), On(0.09, ZEROS[dtype][1], dtype)
        if dtype == "int16":
            source, target = On(0.011 / 256, 0, dtype), On(0.09 / 256, 0, dtype)
        channels, out = 8, 24
        if op == "linear":
            weight = random.integers(-127, 128, (out, channels))
            operand = random.integers(low, high + 1, (300, channels)).astype(dtype)
            attributes: dict = {}
        else:
            groups = channels if op == "depthwise" else 1
            weight = random.integers(-127, 128, (out, channels // groups, 3, 3))
            operand = random.integers(low, high + 1, (1, channels, 17, 15)).astype(dtype)
            attributes = window((3, 3), stride, dilation, groups)
        scales = np.exp2(random.uniform(-9, -6, out)).astype(np.float32)
        yield Case(
            "linear" if op == "linear" else "conv2d",
            (operand,),
            (source,),
            target,
            write_linear if op == "linear" else write_conv,
            attributes,
            weight,
            scales,
            random.integers(-5000, 5000, out),
            activation,
        )


def _parameters(graph: IntegerGraph, case: Case, axis: int) -> tuple[np.ndarray, Value]:
    """Weights as lowered, and the bias as TFLite wants it: of 64 bits behind int16."""
    node = node_of(graph)
    weight, bias = (graph.constants[node.constants[r]] for r in ("weight", "bias"))
    wide = bias.astype(np.int64 if case.target.dtype == "int16" else np.int32)
    scale = case.weight_scale * np.float32(case.sources[0].scale)
    return weight, constant(wide, scale.astype(np.float32))


def write_conv(graph: IntegerGraph, case: Case) -> bytes:
    """CONV_2D, or DEPTHWISE_CONV_2D where every channel is a group of its own."""
    weight, bias = _parameters(graph, case, 0)
    node, operand = node_of(graph), case.operands[0]
    a = node.attributes
    ends = (
        case.sources[0].value(shape_last(operand.shape)),
        case.target.value(shape_last(node.output.shape)),
    )
    settings = {
        "strideH": a["stride"][0],
        "strideW": a["stride"][1],
        "dilationHFactor": a["dilation"][0],
        "dilationWFactor": a["dilation"][1],
        "padding": 1,
        "fusedActivationFunction": {None: 0, "relu": 1, "relu6": 3}[case.activation],
    }
    last = channels_last(weight)
    if a["groups"] == 1:
        filters = constant(last, case.weight_scale)
        return model("CONV_2D", [ends[0], filters, bias], [ends[1]], "Conv2D", **settings)
    settings["depthMultiplier"] = weight.shape[0] // a["groups"]
    filters = constant(last.transpose(3, 1, 2, 0).copy(), case.weight_scale, axis=3)
    inputs = [ends[0], filters, bias]
    return model("DEPTHWISE_CONV_2D", inputs, [ends[1]], "DepthwiseConv2D", 3, **settings)


def write_linear(graph: IntegerGraph, case: Case) -> bytes:
    weight, bias = _parameters(graph, case, 0)
    node = node_of(graph)
    return model(
        "FULLY_CONNECTED",
        [
            case.sources[0].value(case.operands[0].shape),
            constant(weight, case.weight_scale),
            bias,
        ],
        [case.target.value(node.output.shape)],
        "FullyConnected",
        fusedActivationFunction={None: 0, "relu": 1, "relu6": 3}[case.activation],
    )


def write_transposed(graph: IntegerGraph, case: Case) -> bytes:
    weight, bias = _parameters(graph, case, 0)
    shape = shape_last(node_of(graph).output.shape)
    inputs = [
        constant(np.array(shape, np.int32)),
        constant(channels_last(weight), case.weight_scale),
        case.sources[0].value(shape_last(case.operands[0].shape)),
        bias,
    ]
    target = [case.target.value(shape)]
    rows, columns = case.attributes["stride"]
    settings = {"padding": 1, "strideH": rows, "strideW": columns}
    return model("TRANSPOSE_CONV", inputs, target, "TransposeConv", 3, **settings)


def write_product(graph: IntegerGraph, case: Case) -> bytes:
    sources = [on.value(x.shape) for on, x in zip(case.sources, case.operands, strict=True)]
    target = [case.target.value(node_of(graph).output.shape)]
    return model("BATCH_MATMUL", sources, target, "BatchMatMul", 4)
