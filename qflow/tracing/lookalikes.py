"""lookalikes: modules that would be fused if they were torch's own class, and are not."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from qflow.plan.inventory import Inventory
from qflow.plan.unfused import Lookalike
from qflow.tracing import operators

_BASES: tuple[tuple[type[nn.Module], str], ...] = (
    (_BatchNorm, "bn"),
    (nn.modules.conv._ConvNd, "conv"),
    (nn.Linear, "linear"),
)
_GENERATED = "._generated_"


def lookalikes(inventory: Inventory, model: nn.Module) -> dict[str, Lookalike]:
    """Per address, of the module itself or of a call its forward makes, what it resembles.

    `model` is the user's own, of which the inventory is.

    Subclasses of torch's batch norms, convolutions and linear, and classes that are called a
    BatchNorm without being one, such as a frozen batch norm written as a multiplication and a sum.
    """
    found = {}
    modules = dict(model.named_modules(remove_duplicate=False))
    for module in inventory.modules:
        owner = modules.get(module.address.partition(_GENERATED)[0])
        if owner is not None and (known := _resembled(owner)) is not None:
            found[module.address] = known
    return found


def _resembled(owner: nn.Module) -> Lookalike | None:
    cls = type(owner)
    if operators.of_module(owner) is not None or cls.__module__.startswith("torch.nn."):
        return None
    for base, word in _BASES:
        if isinstance(owner, base):
            parent = next(c for c in cls.__mro__ if c.__module__.startswith("torch.nn."))
            why = f"`{cls.__name__}` is a subclass of `{parent.__name__}`, not that class itself"
            return Lookalike(word, why)
    if "BatchNorm" in cls.__name__:
        return Lookalike("bn", f"`{cls.__name__}` is no batch norm of torch.nn")
    return None
