"""Operators of the vendor's float graph as fields of qflow's prepared nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qflow.quantization.prepared import PreparedNode

PLAIN: Mapping[str, str] = {
    "Abs": "abs",
    "Cos": "cos",
    "Cosh": "cosh",
    "Erf": "erf",
    "Exp": "exp",
    "Floor": "floor",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
    "Log": "log",
    "Max": "maximum",
    "Min": "minimum",
    "Mish": "mish",
    "PRelu": "prelu",
    "Reciprocal": "reciprocal",
    "Rsqrt": "rsqrt",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Tan": "tan",
    "Tanh": "tanh",
}
"""Operators without attributes of qflow's."""


class UnknownOperator(Exception):
    """An operator of the vendor's float graph that has no counterpart here."""


@dataclass(frozen=True)
class Top:
    """One operator of the vendor's float graph."""

    type: str
    inputs: tuple[str, ...]
    output: str
    shape: tuple[int, ...]
    attributes: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    """Of the inputs."""
    constants: Mapping[str, np.ndarray]
    """The float weights among the inputs."""

    def weight(self, index: int) -> np.ndarray | None:
        return self.constants.get(self.inputs[index]) if index < len(self.inputs) else None

    def weight_or_zeros(self, index: int, count: int) -> np.ndarray:
        found = self.weight(index)
        return np.zeros(count, np.float32) if found is None else found.reshape(-1)


def plain(top: Top) -> dict[str, Any]:
    weight = top.weight(1) if top.type == "PRelu" else None
    if weight is not None:
        return {"op": "prelu", "weight": weight.reshape(-1)}
    if top.type not in PLAIN:
        raise UnknownOperator(top.type)
    return {"op": PLAIN[top.type], "constant": True}


def _scalar(op: str, factor: float = 1.0) -> Callable[[Top], dict[str, Any]]:
    def form(top: Top) -> dict[str, Any]:
        attributes = {"scalar": top.attributes["const_val"] * factor}
        if top.attributes.get("is_reverse"):
            attributes["reflected"] = True
        return {"op": op, "attributes": attributes}

    return form


def _elementwise(op: str) -> Callable[[Top], dict[str, Any]]:
    return lambda top: {"op": op, "constant": True}


def _extreme_const(op: str) -> Callable[[Top], dict[str, Any]]:
    def form(top: Top) -> dict[str, Any]:
        value = np.array([top.attributes["const_val"]], np.float32)
        name = f"{top.output}.const"
        constant = PreparedNode(name, name, "constant", (), weight=value, shape=value.shape)
        return {"op": op, "extra": (constant,)}

    return form


def _relu(top: Top) -> dict[str, Any]:
    limit = top.attributes.get("relu_limit", -1.0)
    if limit in (None, -1.0):
        return {"op": "relu"}
    if limit == 6.0:
        return {"op": "relu6"}
    return {"op": "clamp", "attributes": {"low": 0.0, "high": limit}}


def _conv(top: Top) -> dict[str, Any]:
    a = top.attributes
    axes = len(top.shapes[0]) - 2
    weight = top.weight(1)
    assert weight is not None
    kernel, pads = tuple(a["kernel_shape"]), tuple(a["pads"])
    sides = len(kernel)
    attributes: dict[str, Any] = {
        "kernel": kernel[:axes],
        "stride": tuple(a["strides"])[:axes],
        "dilation": tuple(a["dilations"])[:axes],
        "groups": a["group"],
    }
    first, last = pads[:sides][:axes], pads[sides:][:axes]
    attributes["padding"] = (*first, *last)
    shape = (*weight.shape[:2], *kernel[:axes])
    return {
        "op": f"conv{axes}d",
        "attributes": attributes,
        "weight": weight.reshape(shape),
        "bias": _bias(top),
    }


def _bias(top: Top) -> np.ndarray | None:
    found = top.weight(2)
    return None if found is None else found.reshape(-1)


def _deconv(top: Top) -> dict[str, Any]:
    a = top.attributes
    channels = top.shapes[0][1]
    kernel, groups = tuple(a["kernel_shape"]), a["group"]
    weight = top.weight(1)
    assert weight is not None
    pads, half = tuple(a["pads"]), len(kernel)
    outputs = top.shape[1]
    if groups == 1:  # stored with the output channels first
        weight = weight.reshape(outputs, channels, *kernel).swapaxes(0, 1)
    weight = weight.reshape(channels, outputs // groups, *kernel)
    attributes = {
        "kernel": kernel,
        "stride": tuple(a["strides"]),
        "padding": pads,
        "output_padding": tuple(a["output_padding"]),
        "dilation": tuple(a["dilations"]),
        "groups": groups,
    }
    return {
        "op": f"conv_transpose{half}d",
        "attributes": attributes,
        "weight": np.ascontiguousarray(weight),
        "bias": _bias(top),
    }


def _matmul(top: Top) -> dict[str, Any]:
    weight = top.weight(1)
    if weight is None or weight.ndim != 2:
        return {"op": "matmul", "constant": True, "bias": _bias(top)}
    turned = weight if top.attributes["right_transpose"] else weight.T
    return {"op": "linear", "weight": np.ascontiguousarray(turned), "bias": _bias(top)}


def _scale(top: Top) -> dict[str, Any]:
    channels = top.shape[1]
    weight = top.weight(1)
    assert weight is not None
    return {
        "op": "batch_norm",
        "weight": weight.reshape(-1),
        "bias": top.weight_or_zeros(2, channels),
    }


def _window(top: Top) -> dict[str, Any]:
    a = top.attributes
    found: dict[str, Any] = {
        "kernel": tuple(a["kernel_shape"]),
        "stride": tuple(a["strides"]),
        "padding": tuple(a["pads"]),
    }
    return found


def _avg_pool(top: Top) -> dict[str, Any]:
    found = _window(top)
    if any(found["padding"]) and not top.attributes["count_include_pad"]:
        found["skips_padding"] = True
    return {"op": "avg_pool2d", "attributes": found}


def _max_pool(top: Top) -> dict[str, Any]:
    return {
        "op": "max_pool2d",
        "attributes": {**_window(top), "dilation": (1, 1), "ceil": False},
    }


def _reshape(top: Top) -> dict[str, Any]:
    source = top.shapes[0]
    if top.shape[0] == source[0]:
        return {"op": "reshape", "attributes": {"shape": top.shape[1:]}}
    return {"op": "reshape", "attributes": {"sizes": top.shape}}


def _slice(top: Top) -> dict[str, Any]:
    starts, steps = tuple(top.attributes["offset"]), tuple(top.attributes["steps"])
    stops = tuple(a + n * s for a, n, s in zip(starts, top.shape, steps, strict=True))
    stops = tuple(min(s, n) for s, n in zip(stops, top.shapes[0], strict=True))
    attributes = {"starts": starts, "stops": stops, "steps": steps, "shape": top.shape}
    return {"op": "slice", "attributes": attributes}


def _pad(top: Top) -> dict[str, Any]:
    given = top.attributes["paddings"]
    rank = len(given) // 2
    pairs = [(given[i], given[i + rank]) for i in range(rank)]
    while len(pairs) > 1 and pairs[0] == (0, 0):
        pairs.pop(0)
    sides = tuple(n for pair in reversed(pairs) for n in pair)
    mode = {"edge": "replicate"}.get(top.attributes["mode"], top.attributes["mode"])
    attributes = {"sides": sides, "mode": mode, "value": top.attributes["val"]}
    return {"op": "pad", "attributes": attributes}


def _resize(top: Top) -> dict[str, Any]:
    a = top.attributes
    mode = {"linear": "bilinear"}.get(a.get("mode", "nearest"), a.get("mode", "nearest"))
    attributes = {
        "size": None,
        "factor": (float(a["scale_h"]), float(a["scale_w"])),
        "mode": mode,
        "align_corners": a.get("coord_mode") == "align_corners",
        "recompute": False,
    }
    return {"op": "upsample", "attributes": attributes}


def _layer_norm(top: Top) -> dict[str, Any]:
    attributes = {"shape": tuple(top.attributes["normalized_shape"]), "eps": top.attributes["eps"]}
    weight = top.weight(1)
    return {
        "op": "layer_norm",
        "attributes": attributes,
        "weight": None if weight is None else weight.reshape(-1),
        "bias": _bias(top),
    }


FORMS: Mapping[str, Callable[[Top], dict[str, Any]]] = {
    "Add": _elementwise("add"),
    "AddConst": _scalar("add"),
    "AvgPool": _avg_pool,
    "Clip": lambda top: {
        "op": "clamp",
        "attributes": {"low": top.attributes["min"], "high": top.attributes["max"]},
    },
    "Concat": lambda top: {
        "op": "cat",
        "attributes": {"dim": top.attributes["axis"] % len(top.shape)},
        "constant": True,
    },
    "Conv": _conv,
    "Deconv": _deconv,
    "Elu": lambda top: {"op": "elu", "attributes": {"alpha": top.attributes["alpha"]}},
    "GELU": lambda top: {
        "op": "gelu",
        "attributes": {
            "approximate": {"normal": "none"}.get(top.attributes.get("approx_mode"), "tanh")
        },
    },
    "Interp": _resize,
    "LayerNorm": _layer_norm,
    "LeakyRelu": lambda top: {
        "op": "leaky_relu",
        "attributes": {"negative_slope": top.attributes["alpha"]},
    },
    "MatMul": _matmul,
    "MaxConst": _extreme_const("maximum"),
    "MaxPool": _max_pool,
    "MinConst": _extreme_const("minimum"),
    "Mul": _elementwise("mul"),
    "MulConst": _scalar("mul"),
    "Pad": _pad,
    "Permute": lambda top: {
        "op": "permute",
        "attributes": {"dims": tuple(top.attributes["order"])},
    },
    "Pow": lambda top: {"op": "pow", "attributes": {"scalar": top.attributes["exponent"]}},
    "Reduce": lambda top: {
        "op": {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax", "ReduceMin": "amin"}[
            top.attributes["mode"]
        ],
        "attributes": {
            "dims": tuple(sorted(a % len(top.shapes[0]) for a in top.attributes["axes"])),
            "keepdim": bool(top.attributes["keepdims"]),
        },
    },
    "Relu": _relu,
    "Reshape": _reshape,
    "Scale": _scale,
    "Slice": _slice,
    "Softmax": lambda top: {
        "op": "softmax",
        "attributes": {"dim": top.attributes["axis"] % len(top.shape)},
    },
    "Sub": _elementwise("sub"),
    "SubConst": _scalar("sub"),
    "Tile": lambda top: {"op": "repeat", "attributes": {"times": tuple(top.attributes["tile"])}},
    "Softplus": lambda top: {"op": "softplus", "attributes": {"beta": 1.0, "threshold": 20.0}},
    "Upsample": _resize,
}
