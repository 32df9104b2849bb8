"""pt2: a program that `torch.export.save` wrote, read without torch's own loader.

`torch.export.load` unpickles and evaluates expressions of the file. This reads the archive itself:
the graph is JSON, the weights are bytes; guards, expressions and sample inputs are left alone.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qflow.frontends import archive, aten
from qflow.frontends.imported import Held, Value
from qflow.frontends.leafing import finished
from qflow.frontends.pt2_run import Node, Program, overload
from qflow.frontends.pt2_values import (
    Malformed,
    argument,
    field,
    loaded,
    owner,
    port,
    tensors,
)
from qflow.frontends.recipe import Owner, Recipe
from qflow.frontends.refusing import damaged, unknown
from qflow.frontends.schemas import bound
from qflow.frontends.source import FilePort, Source
from qflow.frontends.torchscript_code import known

_CHECKS = ("_assert_scalar", "sym_constrain_range", "sym_constrain_range_for_size")
"""What holds or does not, and computes nothing."""
_OPERATORS = {
    f"_operator.{f.__name__}": f
    for f in (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod)
} | {"_operator.neg": operator.neg, "_operator.truediv": operator.truediv}
_COMPARED = tuple(f"_operator.{n}" for n in ("ge", "le", "gt", "lt", "eq", "ne", "and_", "or_"))


def read(path: Path, shown: str) -> Source:
    """Raises QflowError: QF302, QF362, QF364."""
    members = archive.members(path, shown)
    try:
        return _Reader(members, shown).read()
    except Malformed as error:
        raise damaged(shown, str(error)) from error


class _Reader:
    def __init__(self, members: Mapping[str, bytes], shown: str) -> None:
        self._shown = shown
        self._members = members
        self._found: dict[str, Any] = {}
        self._recipe = Recipe(())
        self._nodes: list[Node] = []

    def read(self) -> Source:
        if self._members.get("byteorder", b"little") != b"little":
            raise Malformed("its numbers are of a machine with the other byte order")
        model = loaded(self._members, "models/model.json")
        module = field(model, "graph_module", dict)
        graph, signature = field(module, "graph", dict), field(module, "signature", dict)
        shapes = field(graph, "tensor_values", dict)
        weights = self._weights()
        inputs = self._inputs(signature, weights, shapes)
        for node in field(graph, "nodes", list):
            self._node(node)
        outputs = self._outputs(signature)
        self._recipe.outputs = tuple(self._found[n] for n in outputs)
        if not all(isinstance(v, Value) for v in self._recipe.outputs):
            raise Malformed("it returns something else than tensors it computed")
        program = Program(
            tuple((n, p.name) for n, p in inputs), weights, tuple(self._nodes), outputs
        )
        ports = tuple(port(n, "", shapes) for n in outputs)
        given = tuple(p for _, p in inputs)
        return Source(finished(self._recipe), given, ports, program.run, "torch.export")

    def _weights(self) -> dict[str, tuple[str, Any]]:
        """Tensors by the name the model had for them."""
        found = {}
        for folder, kind in (("data/weights/", "weights"), ("data/constants/", "constants")):
            config = f"model_{kind}_config.json"
            if f"{folder}{config}" not in self._members:
                raise Malformed(f"it has no `{folder}{config}`: it was written before torch 2.9")
            found.update(tensors(self._members, folder, config))
        return found

    def _inputs(
        self, signature: Any, weights: dict[str, Any], shapes: Any
    ) -> list[tuple[str, FilePort]]:
        """Inputs by their names in the graph; what is held is noted."""
        given: list[str] = []
        held: dict[str, tuple[str, bool]] = {}
        for spec in field(signature, "input_specs", list):
            match spec:
                case {"user_input": {"arg": {"as_tensor": {"name": str(name)}}}}:
                    given.append(name)
                case {"parameter": {"arg": {"name": str(name)}, "parameter_name": str(own)}}:
                    held[name] = own, True
                case {"buffer": {"arg": {"name": str(name)}, "buffer_name": str(own)}}:
                    held[name] = own, False
                case {
                    "tensor_constant": {
                        "arg": {"name": str(name)},
                        "tensor_constant_name": str(own),
                    }
                }:
                    held[name] = own, False
                case _:
                    raise Malformed("an input is neither a tensor nor a weight")
        self._recipe = Recipe(tuple(given))
        self._found = {name: Value(i) for i, name in enumerate(given)}
        for name, (own, trainable) in held.items():
            if own not in weights or not all(own.split(".")):
                raise Malformed(f"it lacks the weight `{own}`")
            self._recipe.hold(own, weights[own].clone(), trainable)
            self._found[name] = Held(own)
            weights[f"${name}"] = weights[own]
        return [(name, port(name, name, shapes)) for name in given]

    def _outputs(self, signature: Any) -> tuple[str, ...]:
        found = []
        for spec in field(signature, "output_specs", list):
            match spec:
                case {"user_output": {"arg": {"as_tensor": {"name": str(name)}}}}:
                    self._look(name)
                    found.append(name)
                case _:
                    raise Malformed("an output is no tensor, or it writes to a buffer")
        if not found:
            raise Malformed("it returns nothing")
        return tuple(found)

    def _look(self, name: str) -> Any:
        if name not in self._found:
            raise Malformed(f"nothing in it makes `{name[:60]}`")
        return self._found[name]

    def _node(self, node: Any) -> None:
        target, inputs = field(node, "target", str), field(node, "inputs", list)
        outputs = field(node, "outputs", list)
        name = target.removeprefix("torch.ops.aten.").partition(".")[0]
        if name in _CHECKS or target in _COMPARED:
            return
        by = Owner(*owner(node.get("metadata")))
        args = [i for i in inputs if isinstance(i, dict) and i.get("kind") != 2]
        named = [i for i in inputs if isinstance(i, dict) and i.get("kind") == 2]
        plain = [argument(i.get("arg"), self._look) for i in args]
        keyed = {field(i, "name", str): argument(i.get("arg"), self._look) for i in named}
        raw = [argument(i.get("arg"), _Name) for i in args]
        raw_keyed = {field(i, "name", str): argument(i.get("arg"), _Name) for i in named}
        if target in _OPERATORS:
            made: Any = self._recipe.add(by, _OPERATORS[target], *plain)
            self._note(outputs, made, by, Node(_OPERATORS[target], tuple(raw), {}, ()))
            return
        op = overload(target) if name in known() | {f"{n}_" for n in known()} else None
        if op is None:
            where = f"({by.address or 'the model'}) is not known to qflow"
            raise unknown(self._shown, target, where, known())
        try:
            made = aten.call(self._recipe, by, name, bound(op._schema, plain, keyed))
        except aten.Unknown as reason:
            where = f"({by.address or 'the model'}) {reason}"
            raise unknown(self._shown, target, where) from reason
        self._note(outputs, made, by, Node(op, tuple(raw), raw_keyed, ()))

    def _note(self, outputs: Any, made: Any, by: Owner, node: Node) -> None:
        """The names of what a call returns: one, one each, or one list of them."""
        names: list[str | None] = []
        match outputs:
            case [{"as_tensors": list(several)}]:
                names = [field(v, "name", str) for v in several]
            case [{"as_tensor": {"name": str(one)}}] | [{"as_sym_int": {"as_name": str(one)}}]:
                self._found[one] = made
                self._nodes.append(Node(node.target, node.args, node.kwargs, (one,)))
                return
            case list():
                names = [
                    o["as_tensor"].get("name")
                    if isinstance(o, dict) and isinstance(o.get("as_tensor"), dict)
                    else None
                    for o in outputs
                ]
        self._nodes.append(Node(node.target, node.args, node.kwargs, tuple(names), several=True))
        for i, one in enumerate(names):
            if not isinstance(one, str):
                continue
            if isinstance(made, tuple):
                if i >= len(made):
                    raise Malformed("a call returns more than it can")
                self._found[one] = made[i]
            else:
                self._found[one] = self._recipe.add(by, operator.getitem, made, i)


class _Name(str):
    """A name in the graph, where the program itself runs."""

    __slots__ = ()
