"""onnx_graph: the nodes of an ONNX graph, one after the other, as a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.frontends import aten
from qflow.frontends.imported import Held, Value
from qflow.frontends.onnx_names import held_name, owner_of
from qflow.frontends.onnx_values import Constant, Known, Node, Sizes
from qflow.frontends.recipe import Owner, Recipe
from qflow.frontends.refusing import damaged, unknown

_CONTROL = ("If", "Loop", "Scan", "SequenceMap")
Dims = tuple["int | None", ...]


class Reader:
    """Reads one graph. The functions of `onnx_ops` ask it for operands and add calls to it."""

    def __init__(
        self,
        nodes: Sequence[Node],
        constants: Mapping[str, Constant],
        shapes: Mapping[str, Dims],
        inputs: Sequence[str],
        shown: str,
        opset: int,
    ) -> None:
        self.opset = opset
        self.recipe = Recipe(tuple(inputs), guesses=True)
        self._nodes = nodes
        self._shapes = shapes
        self._shown = shown
        self._known: dict[str, Known] = dict(constants)
        self._known |= {name: Value(i) for i, name in enumerate(inputs)}
        self._readers = Counter(n for node in nodes for n in node.inputs)
        self._done: set[int] = set()
        self._owner = Owner()

    def read(self, outputs: Sequence[str]) -> Recipe:
        """Raises QflowError: QF362, QF364, QF365."""
        from qflow.frontends.onnx_ops import OPS

        # what is returned has a reader more
        self._readers.update(outputs)
        for index, node in enumerate(self._nodes):
            if index not in self._done:
                self._read(node, OPS)
        found = [self._known.get(name) for name in outputs]
        if not found or not all(isinstance(v, Value) for v in found):
            raise damaged(self._shown, "it returns something else than tensors it computed")
        self.recipe.outputs = tuple(v for v in found if isinstance(v, Value))
        return self.recipe

    def _read(self, node: Node, ops: Mapping[str, Any]) -> None:
        if node.op in _CONTROL:
            raise _branches(self._shown, node)
        operator = ops.get(node.op)
        if operator is None:
            raise unknown(self._shown, node.op, f"({node.name}) is not known to qflow", ops)
        held = [c for c in map(self._known.get, node.inputs) if isinstance(c, Constant)]
        self._owner = owner_of(node, [(c.turned or c).name for c in held])
        try:
            made = operator(self, node)
        except aten.Unknown as reason:
            raise unknown(self._shown, node.shown, str(reason)) from reason
        except (ValueError, TypeError, LookupError, OverflowError, ArithmeticError) as error:
            # attributes and constants of a stranger do not fit each other
            what = f"the operands of {node.shown} do not fit: {error}"
            raise damaged(self._shown, what) from error
        results = made if isinstance(made, tuple) else (made,)
        for name, value in zip(node.outputs, results, strict=False):
            self._known[name] = value

    # --- operands ---------------------------------------------------------------------------------

    def given(self, node: Node, index: int) -> bool:
        """Whether an operand is there at all."""
        return index < len(node.inputs) and bool(node.inputs[index])

    def known(self, node: Node, index: int) -> Known:
        """An operand in whatever form."""
        name = node.inputs[index] if self.given(node, index) else ""
        if name not in self._known:
            raise aten.Unknown(f"reads `{name}`, which nothing makes")
        return self._known[name]

    def tensor(self, node: Node, index: int) -> Value | Held:
        """An operand as a tensor; one of the file is held by the model."""
        found = self.known(node, index)
        if isinstance(found, Constant):
            return self.held(found)
        if not isinstance(found, Value):
            raise aten.Unknown("computes with the shape of a tensor as if it were one")
        return found

    def operand(self, node: Node, index: int) -> Any:
        """As `tensor`, and a single number of the file as a number."""
        found = self.known(node, index)
        if isinstance(found, Constant) and found.array.size == 1 and found.array.ndim <= 1:
            return found.array.reshape(-1)[0].item()
        return self.tensor(node, index)

    def held(self, constant: Constant) -> Held:
        """A tensor of the file as one of the model."""
        name = held_name(constant.name)
        if name not in self.recipe.tensors:
            # a copy: nothing of the model shares memory with what was read
            self.recipe.hold(name, torch.from_numpy(np.array(constant.array)))
        return Held(name)

    def constant(self, node: Node, index: int) -> np.ndarray:
        """An operand that must stand in the file."""
        found = self.known(node, index)
        if not isinstance(found, Constant):
            raise aten.Unknown(f"computes its operand {index}, which has to stand in the file")
        return found.array

    def numbers(self, node: Node, index: int) -> list[Any]:
        """Whole numbers: of the file, or of shapes."""
        found = self.known(node, index)
        if isinstance(found, Sizes):
            return list(found.items)
        return [int(v) for v in self.constant(node, index).reshape(-1)]

    def shape(self, node: Node, index: int) -> Dims | None:
        """The shape of an operand as far as it is known; None: not at all."""
        found = self.known(node, index) if self.given(node, index) else None
        if isinstance(found, Constant):
            return tuple(found.array.shape)
        return self._shapes.get(node.inputs[index])

    def rank(self, node: Node, index: int = 0) -> int:
        """How many dimensions an operand has."""
        shape = self.shape(node, index)
        if shape is None:
            raise aten.Unknown("has an operand of a shape that the file does not tell")
        return len(shape)

    # --- what comes out ---------------------------------------------------------------------------

    def add(self, target: Any, *args: Any, cls: str = "", method: bool = False, **kw: Any) -> Value:
        """A call by the node's owner; `cls` says which class of torch that is, where it can."""
        owner = self._owner
        if cls and not owner.cls:
            owner = replace(owner, cls=cls)
        return self.recipe.add(owner, target, *args, method=method, **kw)

    def only_reader(self, node: Node, op: str) -> Node | None:
        """The node that alone reads the result of another, where it is of one operator."""
        name = node.outputs[0]
        if self._readers[name] != 1:
            return None
        return next((n for n in self._nodes if name in n.inputs and n.op == op), None)

    def finish(self, node: Node, value: Value) -> None:
        """Note that a later node is done already, with this result."""
        self._done.add(next(i for i, n in enumerate(self._nodes) if n is node))
        self._known[node.outputs[0]] = value


def _branches(shown: str, node: Node) -> QflowError:
    return fail(
        Diagnostic(
            "QF365",
            f"the ONNX file `{shown}` decides while it runs: `{node.shown}`",
            help="export the model without the branch, or give it by `entry`",
        )
    )
