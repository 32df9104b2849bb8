"""Questions several rules ask about what reads what."""

from qflow.plan import op_facts
from qflow.plan.inventory import Inventory, Module
from qflow.plan.subject import Subject

POOLS = ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "max_pool1d")


def is_gemm(module: Module) -> bool:
    """A convolution, linear or matrix product."""
    return op_facts.role(module.op) == "gemm"


def read_once(inventory: Inventory, module: Module) -> bool:
    return len(inventory.users[module.address]) == 1 and module.calls == 1


def source(inventory: Inventory, module: Module) -> Module | None:
    """What a module reads first; None for what reads nothing that is known."""
    found = inventory.sources[module.address]
    return inventory.by_address[found[0]] if found else None


def named(module: Module, *words: str) -> bool:
    """Whether its operator, or the function or class it is made from, has one of these names."""
    return bool({module.op.lower(), module.type.lower()} & set(words))


def tail_is_int32(subject: Subject) -> bool:
    """Whether the march keeps accumulators at the tail, as far as that is known."""
    return subject.tail in (None, "int32")
