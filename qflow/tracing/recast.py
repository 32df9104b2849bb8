"""recast: the same module, parameters and all, as an instance of another class."""

from __future__ import annotations

from copy import copy
from typing import Any, TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def recast(module: nn.Module, cls: type[M], **fields: Any) -> M:
    """A module of class `cls` with the state of `module`, plus plain attributes.

    Parameters, buffers and children are shared, not copied, and no initialization draws random
    numbers. `cls` must add no required state of its own beyond `fields`.
    """
    made = cls.__new__(cls)
    # registries are copied, so that adding a child to one does not add it to the other
    state = {k: copy(v) if isinstance(v, (dict, set)) else v for k, v in vars(module).items()}
    # what stands in a frozen module's own `train` speaks of that module
    if hasattr(keeper := state.get("train"), "of"):
        state["train"] = keeper.of(made)
    vars(made).update(state, **fields)
    return made


def set_module(root: nn.Module, address: str, module: nn.Module) -> None:
    """Put a module at an address whose parent exists."""
    parent, _, name = address.rpartition(".")
    setattr(root.get_submodule(parent), name, module)
