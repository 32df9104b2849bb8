"""adaround: weights moved so that rounding takes the direction that costs each layer least."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from qflow.quantization.reconstruction_settings import Reconstruction

if TYPE_CHECKING:
    from torch import fx, nn


@dataclass(frozen=True)
class Adaround:
    batches: int = 10
    """Batches of the stage's data that are used."""
    steps: int = 100
    """Steps per layer; batch size times steps should come to 10,000 or more."""
    warm_up: float = 0.2
    """The share of the steps in which only the layer's output counts."""
    weight: float = 0.01
    """Of the term that drives every variable to rounding down or up."""
    b_range: tuple[float, ...] = (20.0, 2.0)
    """Its exponent at the beginning and at the end."""
    lr: float = 0.05
    """Learning rate of the variables."""

    def __post_init__(self) -> None:
        for name in ("batches", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be 1 or more")
        self.settings()

    def settings(self) -> Reconstruction:
        """The same under the names of the field. Raises ValueError for a value it cannot be."""
        if len(self.b_range) != 2:
            raise ValueError("`b_range` must be two numbers above 0")
        return Reconstruction(
            num_batches=self.batches,
            num_steps=self.steps,
            warm_up=self.warm_up,
            weight=self.weight,
            b_range=(self.b_range[0], self.b_range[1]),
            lr=self.lr,
        )

    def __call__(
        self,
        model: fx.GraphModule,
        float_model: nn.Module,
        runs: Sequence[Callable[[nn.Module], Any]],
        kept: Sequence[str],
        tell: Callable[[str], None],
    ) -> list[dict[str, Any]]:
        """Per layer its error before and after, and the share of weights that turned."""
        from qflow.quantization.reconstruction import Rounded, reconstruct

        def said(layer: Rounded) -> None:
            tell(
                f"{layer.address}  error {layer.before:.4g} -> {layer.after:.4g}, "
                f"{layer.turned:.1%} of the weights turned"
            )

        return [asdict(layer) for layer in reconstruct(model, runs, self.settings(), said, kept)]
