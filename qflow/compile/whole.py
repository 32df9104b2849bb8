"""whole: tensors of whole numbers outside of the stubs: token ids, masks, what compares them.

They lie on no grid and no rule speaks of them: the integer model takes them as they are. An
embedding or `where` that only they reach, and that a QuantStub reads, runs at that stub.
"""

from qflow.plan import op_facts
from qflow.plan.inventory import Inventory, Module
from qflow.plan.plan import ModelSpec

DTYPES = ("bool", "int32", "int64")
"""What an input of whole numbers may be; an integer model holds them in 32 bits."""
CHOOSES = ("embedding", "where")
"""Operators that make floats of whole numbers."""
_CASTS = ("bool", "long", "int", "type_as")
_COMPARES = ("eq", "ne", "lt", "le", "gt", "ge")
_JOINS = ("and", "or", "invert")
LOGIC = frozenset(
    {
        *_CASTS,
        *_COMPARES,
        *_JOINS,
        *(f"{kind}_{word}" for kind in ("logical", "bitwise") for word in (*_JOINS, "not")),
    }
)
"""Functions of whole numbers that the integer graph has."""


def ports(model: ModelSpec | None) -> frozenset[str]:
    """Inputs that are declared as whole numbers."""
    declared = model.inputs if model is not None else ()
    return frozenset(p.name for p in declared if not p.dtype.startswith("float"))


def numbers(inventory: Inventory, model: ModelSpec | None) -> frozenset[str]:
    """Addresses that hold whole numbers, and those that run at the stub behind them."""
    known = set(ports(model))
    if not known:
        return frozenset()
    found: set[str] = set()
    for module in inventory.modules:
        sources = inventory.sources[module.address]
        if not sources or not known.issuperset(sources):
            continue
        if _keeps(module):
            known.add(module.address)
            found.add(module.address)
        elif module.op in CHOOSES and _enters(inventory, module):
            found.add(module.address)
    return frozenset(found)


def _keeps(module: Module) -> bool:
    moves = module.op == "identity" or op_facts.role(module.op) == "shape"
    return moves or module.type in LOGIC


def _enters(inventory: Inventory, module: Module) -> bool:
    return all(inventory.by_address[u].op == "quant" for u in inventory.users[module.address])
