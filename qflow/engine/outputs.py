"""outputs: whether a model returns tensors of the shapes its `model` block declares."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic, QflowError
from qflow.engine.entry import span_of
from qflow.plan.inventory import Inventory
from qflow.plan.plan import ModelSpec
from qflow.plan.sizes import BATCH, SIZE


def refuse_other_shapes(spec: ModelSpec, traced: Inventory) -> None:
    """Raises QflowError QF312 for every output of another shape; free dimensions fit anything."""
    if found := tuple(_other_shapes(spec, traced)):
        raise QflowError(found)


def _other_shapes(spec: ModelSpec, traced: Inventory) -> Iterator[Diagnostic]:
    for port in spec.outputs:
        address = f"output.{port.name}"
        shape = traced.by_address[address].shape
        # a constant or an element of a tuple: the trace has no shape that is surely its own
        if not shape:
            continue
        fits = len(shape) == len(port.dims) and all(
            isinstance(d, str) or d == n for d, n in zip(port.dims, shape, strict=True)
        )
        if not fits:
            declared = f"{port.dtype}[{', '.join(map(str, port.dims))}]"
            yield Diagnostic(
                "QF312",
                f"the model returns `{port.name}` as {list(shape)}, where {declared} is declared",
                at=span_of(spec.fields, "output", spec.at),
                notes=(f"in the trace a free batch is {BATCH}, any other free size {SIZE}",),
                help=f"correct the shape of `{port.name}` in the model block",
            )
