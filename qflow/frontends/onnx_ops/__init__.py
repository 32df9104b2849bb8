"""Operators of ONNX, by what they do. Each is a function of the reader and the node.

It returns what the node's outputs stand for, and raises `aten.Unknown` for a form it does not know.
"""

from qflow.frontends.onnx_ops import (
    arithmetic,
    curves,
    moving,
    norms,
    pools,
    products,
    reductions,
    resizing,
    sizes,
)

OPS = {
    **products.OPS,
    **pools.OPS,
    **curves.OPS,
    **arithmetic.OPS,
    **norms.OPS,
    **reductions.OPS,
    **moving.OPS,
    **resizing.OPS,
    **sizes.OPS,
}
"""By name in the standard domain."""
