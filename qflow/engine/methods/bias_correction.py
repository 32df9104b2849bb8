"""bias_correction: biases that take back what rounding moves the mean of a layer's output by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import fx, nn


@dataclass(frozen=True)
class BiasCorrection:
    batches: int = 10
    """Batches of the stage's data that are used."""

    def __post_init__(self) -> None:
        if self.batches < 1:
            raise ValueError("`batches` must be 1 or more")

    def __call__(
        self,
        model: fx.GraphModule,
        float_model: nn.Module,
        runs: Sequence[Callable[[nn.Module], Any]],
        kept: Sequence[str],
        tell: Callable[[str], None],
    ) -> list[dict[str, Any]]:
        """Per layer the error of the model's outputs without and with its correction."""
        from qflow.quantization.correction import Corrected, correct

        def said(layer: Corrected) -> None:
            undone = "" if layer.kept else ", undone"
            tell(f"{layer.address}  error {layer.before:.4g} -> {layer.after:.4g}{undone}")

        found = correct(float_model, model, runs, said, kept)
        return [{**asdict(layer), "kept": layer.kept} for layer in found]
