"""qconfig: `QConfig`: how output, weight and operands of a module are quantized, in Python.

Attributes of this module are also the observers of the field (`MinMaxObserver`), kept in
`field_observers`, and its constants (`default_qat_8bit_fake_quant_qconfig`), in `default_qconfigs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import qint8
from qflow.plan.plan import TensorPlan
from qflow.quantization import field_observers
from qflow.quantization.fake_quantize import FakeQuantize, tensor_plan
from qflow.quantization.field_observers import (
    FieldObserver,
    HistogramObserver,
    MinMaxObserver,
    MSEObserver,
)
from qflow.quantization.observers.min_max import MinMax

Factory = Callable[..., FakeQuantize]
"""What `FakeQuantize.with_args(observer=..., dtype=...)` gives."""

_CONSTANTS = "qflow.quantization.default_qconfigs"
_ACCEPTED = (MinMaxObserver, MSEObserver, HistogramObserver)


@dataclass(frozen=True, init=False)
class QConfig:
    """Each part comes from `FakeQuantize.with_args(observer=..., dtype=...)`; None: not quantized.

    `input` is one factory for every operand, or one (or None) per operand. It unpacks as the
    field's named tuple does: activation, weight, input, output.
    """

    output: Factory | None
    weight: Factory | None
    input: Factory | tuple[Factory | None, ...] | None

    def __init__(
        self,
        output: Factory | None = None,
        weight: Factory | None = None,
        input: Factory | Sequence[Factory | None] | None = None,
        activation: Factory | None = None,
    ) -> None:
        if output is not None and activation is not None and output != activation:
            raise fail(
                Diagnostic(
                    "QF252",
                    "a QConfig has both `output` and `activation`, which are one thing",
                    help="`activation` is the older name: leave it out",
                )
            )
        operands = tuple(input) if isinstance(input, (list, tuple)) else input
        for part in (output, activation, weight, *_each(operands)):
            _require_factory(part)
        object.__setattr__(self, "output", activation if output is None else output)
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "input", operands)

    @property
    def activation(self) -> Factory | None:
        """The older name of `output`."""
        return self.output

    def __iter__(self) -> Iterator[Any]:
        return iter((self.output, self.weight, self.input, self.output))

    @property
    def output_plan(self) -> TensorPlan | None:
        """What is asked of the output; None: it has no grid."""
        return None if self.output is None else tensor_plan(self.output, "per_tensor", None)

    def weight_plan(self, axis: int = 0) -> TensorPlan | None:
        """What is asked of the weight, whose channels lie along `axis`."""
        return None if self.weight is None else tensor_plan(self.weight, "per_channel", axis)

    def input_plan(self, operand: int) -> TensorPlan | None:
        """What is asked of an operand; None: it is read as it comes."""
        held = self.input
        if isinstance(held, tuple):
            held = held[operand] if operand < len(held) else None
        return None if held is None else tensor_plan(held, "per_tensor", None)


def require_qconfig(value: Any, of: str, help: str = "") -> None:
    """Raises QflowError QF113 for what is neither a QConfig nor None; `of` says whose it is."""
    if value is None or isinstance(value, QConfig):
        return
    raise fail(
        Diagnostic(
            "QF113",
            f"{of} is no QConfig of qflow, but a {type(value).__name__}",
            help=help or "import it from `qflow.quantization.qconfig`; None keeps a module float",
        )
    )


def get_qconfig(
    observer: type[FieldObserver] = HistogramObserver,
    in_dtype: Any = qint8,
    weight_dtype: Any = qint8,
    out_dtype: Any = qint8,
    fix_scale: bool = False,
) -> QConfig:
    """The QConfig of the field: one observer for what flows, min-max per channel for weights.

    `fix_scale` keeps the scale that calibration found; a scale that is given is the
    `FixedScaleObserver`'s. A dtype of None leaves that part unquantized. Raises QflowError: QF111
    for an observer other than MinMaxObserver, MSEObserver and HistogramObserver.
    """
    if observer not in _ACCEPTED:
        accepted = ", ".join(f"`{cls.__name__}`" for cls in _ACCEPTED)
        name = getattr(observer, "__name__", repr(observer))
        raise fail(
            Diagnostic(
                "QF111",
                f"`get_qconfig` does not take the observer `{name}`",
                notes=(f"it takes {accepted}",),
                help="make a `QConfig` of `FakeQuantize.with_args(observer=...)` for another one",
            )
        )

    def moving(dtype: Any) -> Factory | None:
        if dtype is None:
            return None
        held = {"fix_scale": True} if fix_scale else {}
        return FakeQuantize.with_args(observer=observer, dtype=dtype, **held)

    weight = None
    if weight_dtype is not None:
        weight = FakeQuantize.with_args(observer=MinMax(), dtype=weight_dtype)
    return QConfig(moving(out_dtype), weight, moving(in_dtype))


def _each(operands: Any) -> tuple[Any, ...]:
    return operands if isinstance(operands, tuple) else (operands,)


def _require_factory(part: Any) -> None:
    if part is None or callable(part):
        return
    raise fail(
        Diagnostic(
            "QF113",
            f"a part of a QConfig is `FakeQuantize.with_args(...)` or None, not `{part!r}`",
        )
    )


def __getattr__(name: str) -> Any:
    if name.endswith("Observer") and hasattr(field_observers, name):
        return getattr(field_observers, name)
    # made of the class above, so that file imports this one
    constants = import_module(_CONSTANTS)
    if name.startswith("_") or name not in constants.__all__:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(constants, name)
