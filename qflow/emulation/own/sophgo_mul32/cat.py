"""cat: every operand is brought onto the grid of the output by a MulShift of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.dtype import DTYPES
from qflow.emulation.builder import same_grid
from qflow.emulation.ops import cat as general
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rescale import named
from qflow.emulation.sophgo.search import search8

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Cat(general.Cat):
    """As the general operator, behind rescales of its own; `<id>.rescale<n>` is operand n's."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        made: dict[str, str] = {}
        for i, name in enumerate(node.inputs):
            if name not in made:
                made[name] = self.on_output(node, build, i)
        sources = tuple(made[name] for name in node.inputs)
        shape = self.shape(node.attributes, [build.types[s].shape for s in sources])
        build.emit(node, "cat", sources, build.output_type(node, shape), dict(node.attributes))

    def on_output(self, node: PreparedNode, build: Builder, index: int) -> str:
        """Id of an operand on the output's grid."""
        source = build.operand(node, index)
        target = build.output_type(node, source.shape, source.layout)
        if same_grid(source, target):
            return node.inputs[index]
        pair = search8(source_scale(node, index) / target_scale(node), positive=True)
        kind = DTYPES[target.dtype]
        return build.emit(
            node,
            "rescale",
            (node.inputs[index],),
            target,
            {"low": kind.qmin, "high": kind.qmax},
            named(*pair),
            id=f"{node.id}.rescale{index}",
        )
