"""lowered: graphs by hand as LiteRT's profiles have them, for every test of its export."""

from __future__ import annotations

from qflow import march
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.lowering import lower
from tests.export.graphs import Net


def lowered(net: Net, *sources: str, profile: str = "tflite.reference") -> IntegerGraph:
    """The march `tflite`, images in the model's own layout."""
    return lower(net.prepared(*sources), march.load("tflite"), profile).graph
