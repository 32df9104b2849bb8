"""cat: tensors one behind the other along an axis; all lie on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument


class Cat(Op):
    """Attribute: dim, not negative."""

    name = "cat"
    role = "shape"
    functions = ("torch.cat", "torch.concat", "torch.concatenate")
    shares_scale = True

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 1, "dim", kwargs.get("axis", 0)) % len(shapes[0])
        if dim == 0:
            raise Unsupported("dim = 0 joins along the batch: it must stay free")
        return {"dim": int(dim)}
