"""Op: what one operator is. A file in `ops/` defines one; nothing else lists operators.

These files import no torch at module level: the NumPy runtime and the compiler read them without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from qflow import registry

if TYPE_CHECKING:
    from torch import nn

Role = Literal["gemm", "normalization", "activation", "elementwise", "pool", "shape", "boundary"]


class Op:
    """Facts of an operator, and how tracing recognizes it."""

    name: ClassVar[str]
    """The file's name, which is the name in the language and in marches."""
    role: ClassVar[Role]
    modules: ClassVar[tuple[str, ...]] = ()
    """Dotted names of the module classes it stands for: `torch.nn.Conv2d`. Exact types, not subclasses."""
    functions: ClassVar[tuple[str, ...]] = ()
    """Dotted names of functions: `torch.nn.functional.conv2d`, `torch.add`, `operator.add`, `torch.Tensor.add`."""
    shares_scale: ClassVar[bool] = False
    """The output lies on the grid of its inputs: reshape, permute, max pool, relu, cat."""
    pattern_word: ClassVar[str] = ""
    """Its word in a `fuse` pattern: conv, linear, bn, add, relu, relu6. Empty: never fused."""

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        """Plain data (ints, tuples, strings) that lowering needs of a module. Raises Unsupported."""
        return {}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        """The same of a functional call. Tensor operands in `args` are None; `shapes` are theirs, in order.

        Raises Unsupported.
        """
        return {}


class Unsupported(Exception):
    """A form of the operator that qflow cannot do; the text says which. Becomes QF120 or QF502."""


@cache
def op(name: str) -> Op:
    """The operator of that name. Raises KeyError."""
    found = registry.load("emulation.ops", name)
    return found()  # type: ignore[no-any-return]


@cache
def by_module() -> Mapping[str, Op]:
    """Operators by the dotted name of a module class."""
    return {m: op(n) for n in registry.names("emulation.ops") for m in op(n).modules}


@cache
def by_function() -> Mapping[str, Op]:
    """Operators by the dotted name of a function."""
    return {f: op(n) for n in registry.names("emulation.ops") for f in op(n).functions}
