"""any_size: operators whose integers are made for one image size, in a model that takes any."""

from qflow.compile.region import listed
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.plan import sizes

MADE_FOR_ONE = frozenset(
    {
        *("upsample", "adaptive_avg_pool2d", "mean", "sum"),
        *("split", "chunk", "unbind"),
    }
)
"""Tables of pixels, numbers of summands and ends of slices are constants of the integer model. What
else takes a size for good shows where that is made."""


def check(unit: Unit) -> Unit:
    """QF279 for quantized operators that are made for one size, and for exports, which are."""
    if unit.model is None or not sizes.are_free(unit.model.inputs):
        return unit
    found = [
        Diagnostic(
            "QF279",
            "an exported file is made for one size, and the model takes any",
            at=export.at,
            help="write the sizes of its inputs, such as `float32[N, 3, 224, 224]`",
        )
        for export in unit.exports
    ]
    made = [a for a in unit.running if unit.op_at(a) in MADE_FOR_ONE]
    if made:
        ops = ", ".join(f"op {op}" for op in dict.fromkeys(unit.op_at(a) for a in made))
        at = dict(unit.model.fields).get("input", unit.model.at)
        found.append(
            Diagnostic(
                "QF279",
                "the integers of these operators are made for one size, and `input` leaves it free",
                at=at,
                notes=(f"these are {listed(made)}",),
                help=f"write the size, or `match {ops} float` in `quantize`",
            )
        )
    return unit.having(found)
