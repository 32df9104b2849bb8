"""sizes: what free dimensions are while a model is looked at: the batch, and sizes behind it."""

from collections.abc import Iterable

from qflow.plan.plan import PortPlan

BATCH = 2
"""A free first dimension in a trace."""
SIZE = 64
"""Any other free dimension: what halves an image six times still finds a pixel."""
OTHER = 96
"""What shows, beside `SIZE`, where a size was taken for good."""


def example(port: PortPlan, batch: int = BATCH, size: int = SIZE) -> tuple[int, ...]:
    """The shape of an example of an input."""
    free = (batch if i == 0 else size for i in range(len(port.dims)))
    return tuple(d if isinstance(d, int) else n for d, n in zip(port.dims, free, strict=True))


def are_free(ports: Iterable[PortPlan]) -> bool:
    """Whether images of any size come in: a dimension behind the batch is free."""
    return any(isinstance(d, str) for p in ports for d in p.dims[1:])
