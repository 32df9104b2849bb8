"""truth: functions of whole numbers that make masks, as the integer graph has them.

`token_ids != 0`, `~mask`, `a & b`: they run before any grid, on numbers a float model has as well.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from qflow.tracing.call import Call, operands

LOGIC = "logic"
"""The step that computes them."""
_COMPARED = ("eq", "ne", "lt", "le", "gt", "ge")
_TURNED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
_JOINED = {
    "and": "and",
    "logical_and": "and",
    "bitwise_and": "and",
    "mul": "and",
    "or": "or",
    "logical_or": "or",
    "bitwise_or": "or",
}
_CASTS = ("identity", "bool", "long", "int", "type_as")
_NOT = ("invert", "logical_not", "bitwise_not")


def logic_of(
    node: fx.Node, call: Call, given: tuple[torch.dtype, ...], result: torch.dtype
) -> dict[str, Any] | None:
    """Attributes of the logic step that a call on whole numbers is; None where it is none.

    `given` are the dtypes of its tensor operands: `and` of truth values is logic, of numbers not.
    """
    word, truths = call.type, all(d == torch.bool for d in given)
    numbers = [a for a in node.args if isinstance(a, (bool, int))]
    numbers += [v for v in node.kwargs.values() if isinstance(v, (bool, int))]
    if word in _NOT and len(given) == 1 and (truths or word == "logical_not"):
        return {"function": "eq", "number": 0}
    if word in _CASTS and len(given) == 1 and result == torch.bool:
        return {"function": "ne", "number": 0}
    if word in _JOINED and len(given) == 2 and (truths or word.startswith("logical")):
        return {"function": _JOINED[word], "number": 0}
    if word not in _COMPARED or len(operands(node)) != len(given):
        return None
    if len(given) == 2:
        return {"function": word, "number": 0}
    if len(given) != 1 or len(numbers) != 1:
        return None
    # `0 < ids` has the number in front
    behind = isinstance(node.args[0], fx.Node)
    return {"function": word if behind else _TURNED.get(word, word), "number": int(numbers[0])}


def keeps_numbers(call: Call, result: torch.dtype) -> bool:
    """Whether a call on one tensor of whole numbers only changes the dtype they are held in."""
    return call.type in _CASTS and result != torch.bool and not result.is_complex
