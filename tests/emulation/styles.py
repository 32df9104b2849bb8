"""styles: the networks of tests/networks as they are converted, with their examples by name."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub
from tests import networks
from tests.emulation.converted import Converted, convert

DECODING = "detector, boxes decoded in integers"
"""The detector with its stubs around everything, and not in front of the decoding of its boxes."""
STYLES = (*networks.NAMES, DECODING)


class Whole(nn.Module):
    """The stubs around all of the detector."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.quant, self.scores, self.boxes = QuantStub(), DeQuantStub(), DeQuantStub()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        found = self.body(self.quant(image))
        return {"scores": self.scores(found["scores"]), "boxes": self.boxes(found["boxes"])}


def converted(
    name: str, march: str, dtype: str, unlisted: Literal["error", "float"] = "error"
) -> tuple[Converted, dict[str, Tensor]]:
    """The network and its example by input name."""
    file = networks.load("detector" if name == DECODING else name)
    made = file.stubbed() if name == "detector" else file.network()
    made = Whole(made).eval() if name == DECODING else made
    args = file.example()
    kwargs = file.example_kwargs() if hasattr(file, "example_kwargs") else {}
    found = convert(made, args, kwargs, march, dtype, unlisted)
    rest = [n for n in found.names if n not in kwargs]
    return found, {**dict(zip(rest, args, strict=True)), **kwargs}
