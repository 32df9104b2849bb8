"""entrance: what stands at the place of a convolution that an eager fusion moved to its add.

The forward still calls it, and what passes is the operand the convolution is to be applied to. So a
call `add(other, conv_output)` can be told from `add(conv_output, other)`, which would compute
something else without any error.
"""

from __future__ import annotations

from typing import Any
from weakref import ReferenceType, ref

from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing import blocks


class Passed:
    """The tensor that passed last; it keeps nothing alive, and copies begin with none."""

    def __init__(self) -> None:
        self._tensor: ReferenceType[Any] | None = None

    def note(self, x: Any) -> None:
        # a trace makes tensors anew as they pass modules, so nothing can be told there
        plain = type(x) is Tensor and blocks.current() is None
        self._tensor = ref(x) if plain else None

    def check(self, x: Any, residual: Any) -> None:
        """Raises QflowError QF266 when the second operand is the one that passed."""
        passed = self._tensor() if self._tensor is not None else None
        if passed is None or passed is x or passed is not residual:
            return
        raise fail(
            Diagnostic(
                "QF266",
                "the second operand of a fused add is the convolution's",
                help="write the convolution first: `self.add.add(conv_output, other)`",
            )
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Passed:
        # one copy for both ends, as `deepcopy` does it; the tensor is not the copy's
        made = memo[id(self)] = Passed()
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {"_tensor": None}


class Entrance(nn.Identity):
    """`nn.Identity` that notes what passes; the convolution itself runs at the add."""

    stands_for = nn.Identity

    def __init__(self, passed: Passed) -> None:
        super().__init__()
        self.passed = passed

    def forward(self, input: Tensor) -> Tensor:
        self.passed.note(input)
        return input

    def _get_name(self) -> str:
        return "Identity"
