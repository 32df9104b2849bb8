"""Whether an integer graph can run: what a file must pass before anything else reads it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, prod
from typing import Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph, Node, TensorType
from qflow.emulation.op import Call, Constant, FieldKind, Op, Unsupported, runnable
from qflow.emulation.profile import Profile, profile
from qflow.emulation.rearrange import moved
from qflow.emulation.record import Damaged
from qflow.emulation.rounding import ROUNDINGS

LARGEST_SIZE = 1 << 31
MOST_VALUES = 1 << 31
"""Of a tensor for the example batch: one of a byte each fills 2 GiB."""
LONGEST_WORD = 64
WIDEST_SUM = 62
"""Bits of the widest accumulator: sums of int16 products in TFLite have 48."""
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def validate(graph: IntegerGraph) -> None:
    """Raises Damaged, naming node and reason, when a runtime could not run the graph."""
    try:
        rule = profile(graph.profile)
    except KeyError:
        raise Damaged(f"profile `{graph.profile}` is unknown") from None
    types: dict[str, TensorType] = {}
    for node in graph.nodes:
        try:
            _node(node, graph, types, rule)
        except (Damaged, Unsupported) as why:
            raise Damaged(f"node `{node.id}` ({node.op}): {why}") from None
        types[node.id] = node.output
    _ends(graph, types)
    used = [key for node in graph.nodes for key in node.constants.values()]
    if set(used) != set(graph.constants) or len(used) != len(set(used)):
        odd = sorted(set(used) ^ set(graph.constants)) or sorted(used)
        raise Damaged(f"constants are missing, left over or shared: {', '.join(odd[:3])}")


def _node(node: Node, graph: IntegerGraph, types: Mapping[str, TensorType], rule: Profile) -> None:
    _unless(node.id not in types, "its id is taken")
    try:
        operator = runnable(node.op, rule.own)
    except KeyError:
        raise Damaged("the operator is unknown") from None
    runs = type(operator).oracle is not Op.oracle
    _unless(operator.integer and runs, "the operator has no integer form")
    low, high = operator.operands
    _unless(low <= len(node.inputs) <= high, f"it has {len(node.inputs)} operands")
    _unless(all(i in types for i in node.inputs), "it reads a tensor that is not there before it")
    _type(node.output)
    if node.op == "input":
        _unless(node.output.scale is None and node.id in graph.inputs, "it is no declared input")
        _unless(not node.attributes and not node.constants, "an input has no settings")
        return
    sources = tuple(types[i] for i in node.inputs)
    _attributes(node, operator)
    _operands(node, sources, operator)
    missing = [k for k in node.constants.values() if k not in graph.constants]
    _unless(not missing, f"constant {', '.join(missing[:1])} is missing")
    constants = {role: graph.constants[key] for role, key in node.constants.items()}
    call = Call(node, sources, constants, rule)
    _constants(call, operator)
    _shape(call, operator)


def _type(type: TensorType) -> None:
    known = type.dtype in ("int8", "uint8", "int16", "int32", "float32")
    _unless(known, f"dtype `{type.dtype}` is unknown")
    _unless(type.layout in ("", "nchw", "nhwc"), f"layout `{type.layout}` is unknown")
    _unless(type.layout == "" or len(type.shape) == 4, "a layout needs four axes")
    fits = type.shape and all(0 < s < LARGEST_SIZE for s in type.shape)
    fits = fits and len(type.shape) <= 8 and prod(type.shape) <= MOST_VALUES
    _unless(bool(fits), f"shape {type.shape} is impossible")
    if type.dtype == "float32" or (type.dtype == "int32" and type.scale is None):
        plain = type.scale is None and type.axis is None and type.zero_point == 0
        _unless(plain, "a tensor of floats or whole numbers has no scale")
        return
    _unless(type.scale is not None and type.scale.size > 0, "an integer tensor needs a scale")
    assert type.scale is not None
    dtype = DTYPES[type.dtype]
    _unless(dtype.qmin <= type.zero_point <= dtype.qmax, f"zero point {type.zero_point} is outside")
    _unless(bool(np.all(np.isfinite(type.scale) & (type.scale > 0))), "a scale is not above 0")
    if type.axis is None:
        _unless(type.scale.size == 1, "many scales need an axis")
        return
    _unless(type.dtype == "int32", "only an accumulator has a scale per channel")
    _unless(0 <= type.axis < len(type.shape), f"axis {type.axis} is not there")
    _unless(type.scale.size == type.shape[type.axis], "scales and channels differ in number")


def _operands(node: Node, sources: tuple[TensorType, ...], operator: Op) -> None:
    allowed = operator.reads
    _unless(all(s.dtype in allowed for s in sources), "it cannot read the dtype of its operand")
    _unless(node.output.dtype in operator.writes, f"its output is {node.output.dtype}")
    if operator.keeps_type:
        # whole numbers among the operands (a mask) lie on no grid
        on_grid = [s for s in sources if s.scale is not None]
        same = all(_same_grid(_as_moved(node, s, operator), node.output) for s in on_grid)
        _unless(same, "its output does not lie on the grid of its operands")


def _same_grid(one: TensorType, other: TensorType) -> bool:
    scales = np.array_equal(one.scale, other.scale)  # type: ignore[arg-type]
    kinds = (one.dtype, one.axis, one.zero_point) == (other.dtype, other.axis, other.zero_point)
    return kinds and scales


def _as_moved(node: Node, source: TensorType, operator: Op) -> TensorType:
    """The operand with its scales where the operator brings them."""
    if source.axis is None or not operator.rearranges or node.op == "identity":
        return source
    dims = node.attributes.get("dims")
    if dims is not None:
        _unless(sorted(dims) == list(range(len(source.shape))), f"it permutes to {dims}")
    # of a flatten, axes behind its start are not the batch alone
    free = tuple(i for i, s in enumerate(node.attributes.get("sizes", ())) if s == -1)
    free = (0,) if node.attributes.get("start", 0) else free
    return moved(source, node.output.shape, dims, free)


def _attributes(node: Node, operator: Op) -> None:
    if operator.checks_itself:
        return
    _unless(set(node.attributes) == set(operator.fields), "its attributes are not those it takes")
    for name, kind in operator.fields.items():
        _unless(_is(kind, node.attributes[name]), f"attribute `{name}` is out of its domain")
    residual = bool(node.attributes.get("residual", False))
    if operator.weight_axis is not None:
        _unless(len(node.inputs) == 1 + residual, f"it has {len(node.inputs)} operands")
    if "low" in node.attributes:
        _unless(not DTYPES[node.output.dtype].is_float, "it clamps, and its output is float32")
        dtype, low, high = (
            DTYPES[node.output.dtype],
            node.attributes["low"],
            node.attributes["high"],
        )
        _unless(dtype.qmin <= low <= high <= dtype.qmax, f"it clamps to {low}..{high}")


def _is(kind: FieldKind, value: Any) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "rounding":
        return isinstance(value, str) and value in ROUNDINGS
    if kind in ("integer", "count", "axis", "bits"):
        low, high = {
            "integer": (-LARGEST_SIZE, LARGEST_SIZE),
            "count": (1, LARGEST_SIZE),
            "axis": (0, 7),
            "bits": (2, WIDEST_SUM),
        }[kind]
        return type(value) is int and low <= value <= high
    if kind == "number":
        return type(value) is float and isfinite(value)
    if kind == "word":
        return isinstance(value, str) and len(value) <= LONGEST_WORD
    length, low = {
        "pair": (2, 1),
        "padding": (4, 0),
        "sizes": (None, 1),
        "axes": (None, 0),
        "offsets": (None, -LARGEST_SIZE),
    }[kind]
    if not isinstance(value, tuple) or (length is not None and len(value) != length):
        return False
    return all(type(v) is int and low <= v < LARGEST_SIZE for v in value)


def _constants(call: Call, operator: Op) -> None:
    if operator.weight_axis is not None:
        _unless("weight" in call.constants, "it has no weight")
        _unless(call.constants["weight"].ndim >= 1, "its weight is a number")
    try:
        roles = operator.roles(call)
    except KeyError as missing:  # the shape of one is read before all are known to be there
        raise Damaged(f"it has no constant `{missing.args[0]}`") from None
    _unless(set(roles) == set(call.constants), "its constants are not those it needs")
    for role, expected in roles.items():
        found = call.constants[role]
        _unless(str(found.dtype) in expected.dtypes, f"constant `{role}` is {found.dtype}")
        _unless(
            found.shape in expected.shapes and found.size > 0,
            f"constant `{role}` has a wrong shape",
        )
        finite = found.dtype.kind != "f" or bool(np.isfinite(found).all())
        _unless(finite, f"constant `{role}` holds a value that is not finite")
        _unless(_between(expected, found), f"constant `{role}` has values out of its range")
        if role in ("weight_scale", "factor"):
            _unless(bool(np.all(found > 0)), "a scale is not above 0")
        elif role == "high":
            _unless(bool(found.min() >= 0), "constant `high` is below 0")
        elif expected.of_profile:
            wrong = operator.ruled_by(call).check(role, found)
            _unless(not wrong, f"constant {wrong}")


def _between(expected: Constant, found: np.ndarray) -> bool:
    low = expected.low is None or found.min() >= expected.low
    return bool(low and (expected.high is None or found.max() <= expected.high))


def _shape(call: Call, operator: Op) -> None:
    if operator.checks_itself:
        operator.check(call)
        return
    node, output = call.node, call.node.output
    shapes = [s.shape for s in call.sources]
    weight = call.constants["weight"].shape if "weight" in call.constants else ()
    turned = operator.image and output.layout == "nhwc"
    if turned:
        _unless(all(s.layout == "nhwc" for s in call.sources), "its operand is not in nhwc")
        shapes = [tuple(s[d] for d in TO_NCHW) for s in shapes]
    expected = operator.shape(node.attributes, shapes, weight)
    if node.attributes.get("residual", False):
        _unless(shapes[1] == expected, "its residual has another shape")
    if turned:
        expected = tuple(expected[d] for d in TO_NHWC)
    _unless(tuple(expected) == output.shape, f"its output is {output.shape}, not {expected}")


def _ends(graph: IntegerGraph, types: Mapping[str, TensorType]) -> None:
    inputs = [n for n in graph.nodes if n.op == "input"]
    if sorted(n.id for n in inputs) != sorted(graph.inputs) or not inputs:
        raise Damaged("its inputs are not its input nodes")
    if len({n.address for n in inputs}) != len(inputs):
        raise Damaged("two inputs have one name")
    names = [name for name, _ in graph.outputs]
    ids = [source for _, source in graph.outputs]
    if not names or len(set(names)) != len(names):
        raise Damaged("its outputs have no names of their own")
    if not all(i in types and types[i].scale is None for i in ids):
        raise Damaged("an output is neither floats nor whole numbers")
    if len({types[i.id].shape[0] for i in inputs}) != 1:
        raise Damaged("its inputs differ in batch")


def _unless(holds: bool, why: str) -> None:
    if not holds:
        raise Damaged(why)
