"""elementwise: NumPy's functions of single values as ONNX nodes, the same to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qflow.export._onnx_integer import bits, spans
from qflow.export._onnx_integer.tape import Tape, ends_of, slim
from qflow.export._onnx_integer.traced import Ends, Traced, Untraceable

SAME = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "negative": "Neg",
    "absolute": "Abs",
    "maximum": "Max",
    "minimum": "Min",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "arcsin": "Asin",
    "arccos": "Acos",
    "arctan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "arcsinh": "Asinh",
    "arccosh": "Acosh",
    "arctanh": "Atanh",
    "rint": "Round",
    "floor": "Floor",
    "ceil": "Ceil",
    "true_divide": "Div",
    "divide": "Div",
    "power": "Pow",
    "logical_not": "Not",
}
"""By the name of the function; operands are brought to the dtype of the result first."""
LARGER = {"maximum": "Greater", "minimum": "Less"}
"""What tells which operand is the result. onnxruntime 1.31 with AVX2 compares the lower halves of
int64 in `Max` and `Min`, so those are for values that int32 holds."""
COMPARED = {
    "equal": "Equal",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
}
JOINED = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
OF_FLOATS = {"rint", "floor", "ceil"}
"""Whole numbers they leave as they are."""


def apply(
    tape: Tape,
    ufunc: np.ufunc,
    method: str,
    inputs: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:
    """The result of a NumPy function that was given traced values. Raises Untraceable."""
    name = ufunc.__name__
    if method == "reduce":
        from qflow.export._onnx_integer import reductions

        return reductions.of_ufunc(name, inputs[0], kwargs)
    if (
        method != "__call__"
        or kwargs.get("out") is not None
        or kwargs.get("where", True) is not True
    ):
        raise Untraceable(f"`{name}.{method}` with {', '.join(kwargs)}")
    if name == "matmul":
        from qflow.export._onnx_integer import products

        return products.matmul(tape, *inputs)
    if "dtype" in kwargs:
        inputs = tuple(_brought(tape, x, np.dtype(kwargs["dtype"])) for x in inputs)
    if name in RULES:
        return RULES[name](tape, *inputs)
    if name in COMPARED:
        return compared(tape, COMPARED[name], *inputs)
    if name in JOINED:
        return _truths(tape, JOINED[name], *inputs)
    if name not in SAME:
        raise Untraceable(f"`numpy.{name}` has no form here")
    return same(tape, name, ufunc, inputs)


def same(tape: Tape, name: str, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Traced:
    dtype = ufunc(*[_blank(x) for x in inputs]).dtype
    if name in OF_FLOATS and dtype.kind != "f":
        (only,) = inputs
        return only  # type: ignore[no-any-return]
    ready = slim([_brought(tape, x, dtype) for x in inputs])
    spare = _needless(name, ready)
    if spare is not None:
        return spare
    known = [ends_of(x) for x in ready]
    ends = spans.of(name, known) if dtype.kind in "iu" else None
    if name in LARGER and dtype == np.int64 and not all(map(_fits, known)):
        chosen = compared(tape, LARGER[name], *ready)
        return tape.node("Where", [chosen, *ready], dtype, _shape(inputs), ends)
    return tape.node(SAME[name], ready, dtype, _shape(inputs), ends)


def _fits(ends: Ends | None) -> bool:
    """Whether int32 holds everything between the ends."""
    return ends is not None and -(1 << 31) <= ends[0] and ends[1] < 1 << 31


def compared(tape: Tape, op: str, left: Any, right: Any) -> Traced:
    dtype = np.result_type(_blank(left), _blank(right))
    if dtype == np.bool_:
        dtype = np.dtype(np.int32)
    ready = slim([_brought(tape, x, dtype) for x in (left, right)])
    return tape.node(op, ready, np.bool_, _shape((left, right)), (0, 1))


def truth(tape: Tape, value: Any) -> Any:
    """Whether each value is other than 0."""
    if isinstance(value, Traced):
        return value if value.dtype == np.bool_ else _not_equal(tape, value, value.dtype.type(0))
    return np.asarray(value, np.bool_)


def _truths(tape: Tape, op: str, left: Any, right: Any) -> Traced:
    ready = [truth(tape, x) for x in (left, right)]
    return tape.node(op, ready, np.bool_, _shape((left, right)), (0, 1))


def _not_equal(tape: Tape, left: Any, right: Any) -> Traced:
    same = compared(tape, "Equal", left, right)
    return tape.node("Not", [same], np.bool_, same.shape, (0, 1))


def _bitwise(name: str) -> Callable[..., Traced]:
    def run(tape: Tape, left: Any, right: Any) -> Traced:
        if _blank(left).dtype == np.bool_ and _blank(right).dtype == np.bool_:
            return _truths(tape, {"and": "And", "or": "Or", "xor": "Xor"}[name], left, right)
        dtype = np.result_type(_blank(left), _blank(right))
        ready = slim([_brought(tape, x, dtype) for x in (left, right)])
        mask = next((x for x in ready if not isinstance(x, Traced)), None)
        if name == "and" and mask is not None and mask.size == 1:
            found = bits.masked(
                tape, ready[0] if ready[1] is mask else ready[1], int(mask.ravel()[0])
            )
            if found is not None:
                return found
        op = {"and": "BitwiseAnd", "or": "BitwiseOr", "xor": "BitwiseXor"}[name]
        return tape.node(op, ready, dtype, _shape((left, right)))

    return run


def _not_a_number(tape: Tape, x: Traced) -> Traced:
    if x.dtype.kind != "f":
        return compared(tape, "Equal", x, x) ^ True  # type: ignore[no-any-return]
    return Traced(
        tape, tape.node("IsNaN", [x], np.bool_, x.shape).name, np.dtype(bool), x.shape, (0, 1), True
    )


def _finite(tape: Tape, x: Traced) -> Traced:
    out = _truths(tape, "Or", _not_a_number(tape, x), tape.node("IsInf", [x], np.bool_, x.shape))
    return tape.node("Not", [out], np.bool_, x.shape)


def _trunc(tape: Tape, x: Traced) -> Any:
    return np.where(x < 0, np.ceil(x), np.floor(x))


def _copysign(tape: Tape, size: Any, sign: Any) -> Any:
    """Of 0 the sign is lost: it becomes a whole number in every rule that uses this."""
    return np.where(sign < 0, -np.abs(size), np.abs(size))


def _ldexp(tape: Tape, x: Any, exponent: Any) -> Any:
    if not isinstance(exponent, Traced):
        return x * np.ldexp(_blank(x).dtype.type(1), exponent)
    return x * bits.power_of_two(tape, exponent, _blank(x).dtype)


def _sign(tape: Tape, x: Traced) -> Any:
    """Not `Sign`: onnxruntime 1.31 is wrong about int64 beyond 32 bits."""
    above, below = (found.astype(x.dtype) for found in (x > 0, x < 0))
    found = above - below
    known = ends_of(x)
    ends = (-1, 1) if known is None else spans.of("sign", [known])
    return Traced(tape, found.name, found.dtype, found.shape, ends)


def _square(tape: Tape, x: Traced) -> Any:
    return x * x


def _power(tape: Tape, x: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, np.integer)) and exponent == 2:
        found = x * x
        ends = None if found.ends is None else (max(found.ends[0], 0), found.ends[1])
        return Traced(tape, found.name, found.dtype, found.shape, ends)
    return same(tape, "power", np.power, (x, exponent))


def _reciprocal(tape: Tape, x: Traced) -> Any:
    return x.dtype.type(1) / x


RULES: Mapping[str, Callable[..., Any]] = {
    "not_equal": _not_equal,
    "bitwise_and": _bitwise("and"),
    "bitwise_or": _bitwise("or"),
    "bitwise_xor": _bitwise("xor"),
    "invert": lambda tape, x: x ^ (True if x.dtype == np.bool_ else -1),
    "logical_not": lambda tape, x: tape.node("Not", [truth(tape, x)], np.bool_, x.shape, (0, 1)),
    "right_shift": bits.shifted_right,
    "left_shift": bits.shifted_left,
    "floor_divide": bits.floor_divided,
    "remainder": bits.remainder,
    "divmod": lambda tape, a, b: (bits.floor_divided(tape, a, b), bits.remainder(tape, a, b)),
    "frexp": bits.frexp,
    "isnan": _not_a_number,
    "isfinite": _finite,
    "trunc": _trunc,
    "copysign": _copysign,
    "ldexp": _ldexp,
    "sign": _sign,
    "square": _square,
    "power": _power,
    "reciprocal": _reciprocal,
    "isinf": lambda tape, x: tape.node("IsInf", [x], np.bool_, x.shape),
    "expm1": lambda tape, x: np.exp(x) - 1.0,
    "log1p": lambda tape, x: np.log(x + 1.0),
    "log2": lambda tape, x: np.log(x) / np.log(2.0),
    "logaddexp": lambda tape, a, b: np.maximum(a, b) + np.log(1.0 + np.exp(-np.abs(a - b))),
}


def _needless(name: str, inputs: list[Any]) -> Traced | None:
    """The operand that the result is, where the other one changes nothing."""
    idle = {"add": 0, "subtract": 0, "multiply": 1}.get(name)
    if idle is None:
        return None
    left, right = inputs
    for kept, other, last in ((left, right, True), (right, left, False)):
        if not isinstance(kept, Traced) or isinstance(other, Traced) or kept.dtype.kind not in "iu":
            continue
        if np.ndim(other) <= kept.ndim and np.all(other == idle) and (last or name != "subtract"):
            if np.broadcast_shapes(kept.shape, np.shape(other)) == kept.shape:
                return kept
    return None


def _blank(value: Any) -> Any:
    """What NumPy finds the dtype of a result with."""
    if isinstance(value, Traced):
        return np.ones((1,), value.dtype)
    if isinstance(value, np.ndarray) and value.ndim:
        return np.ones((1,), value.dtype)
    return (
        value if isinstance(value, np.generic) or not isinstance(value, np.ndarray) else value[()]
    )


def _brought(tape: Tape, value: Any, dtype: np.dtype[Any]) -> Any:
    return tape.cast(value, dtype) if isinstance(value, Traced) else np.asarray(value, dtype)


def _shape(inputs: tuple[Any, ...]) -> tuple[int, ...]:
    return np.broadcast_shapes(*[x.shape if isinstance(x, Traced) else np.shape(x) for x in inputs])
