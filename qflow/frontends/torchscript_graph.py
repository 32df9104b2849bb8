"""torchscript_graph: the graphs of a TorchScript module, entered call by call, as one recipe."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from qflow.frontends import aten
from qflow.frontends.imported import Held, Value
from qflow.frontends.recipe import Owner, Recipe
from qflow.frontends.refusing import damaged, unknown
from qflow.frontends.schemas import bound
from qflow.frontends.torchscript_code import known

_CALLS = 200_000
_DTYPES = {
    **dict(enumerate((torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64))),
    **dict(enumerate((torch.float16, torch.float32, torch.float64), start=5)),
    11: torch.bool,
}
"""The numbers TorchScript has for dtypes."""
_ARITHMETIC = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floor_divide": operator.floordiv,
    "floordiv": operator.floordiv,
    "remainder": operator.mod,
    "neg": operator.neg,
}


@dataclass(frozen=True)
class _Module:
    address: str
    script: Any


class Reader:
    """Reads one module into one recipe."""

    def __init__(self, script: Any, shown: str) -> None:
        self._script = script
        self._shown = shown
        self._recipe = Recipe(())
        self._numbers: set[int] = set()
        """Values that are numbers: sizes, and what is computed of them."""
        self._calls = 0

    def read(self) -> tuple[Recipe, tuple[str, ...]]:
        """The recipe, and the names of the outputs: empty ones where they go by position.

        Raises QflowError: QF362, QF364.
        """
        schema = self._script._c._get_method("forward").schema
        names = tuple(a.name for a in schema.arguments[1:])
        self._recipe = Recipe(names)
        inputs = [Value(i) for i in range(len(names))]
        result = self._enter(_Module("", self._script), "forward", inputs)
        named = result if isinstance(result, dict) else {}
        found = tuple(named.values()) if named else result
        found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if not found or not all(isinstance(v, Value) for v in found):
            raise damaged(self._shown, "it returns something else than tensors it computed")
        self._recipe.outputs = found
        return self._recipe, tuple(named) or ("",) * len(found)

    def _enter(self, module: _Module, method: str, args: list[Any]) -> Any:
        graph = module.script._c._get_method(method).graph
        kind = module.script._c._type().qualified_name()
        owner = Owner(module.address, kind)
        found: dict[str, Any] = {}
        for declared, value in zip(graph.inputs(), [module, *args], strict=True):
            found[declared.debugName()] = value
        for node in graph.nodes():
            self._calls += 1
            if self._calls > _CALLS:
                raise damaged(self._shown, f"it makes more than {_CALLS} calls")
            values = [found[v.debugName()] for v in node.inputs()]
            results = self._node(node, owner, values)
            outputs = list(node.outputs())
            for declared, value in zip(outputs, results, strict=True):
                found[declared.debugName()] = value
        returned = [found[v.debugName()] for v in graph.outputs()]
        return returned[0] if len(returned) == 1 else tuple(returned)

    def _node(self, node: Any, owner: Owner, values: list[Any]) -> tuple[Any, ...]:
        """What every output of a node is."""
        match node.kind():
            case "prim::Constant":
                return (self._constant(node),)
            case "prim::GetAttr":
                return (self._attribute(values[0], node.s("name")),)
            case "prim::CallMethod" if isinstance(values[0], _Module):
                return (self._enter(values[0], node.s("name"), values[1:]),)
            case "prim::ListConstruct":
                return (values,)
            case "prim::TupleConstruct":
                return (tuple(values),)
            case "prim::DictConstruct":
                return (dict(zip(values[::2], values[1::2], strict=True)),)
            case "prim::ListUnpack" | "prim::TupleUnpack":
                count = len(list(node.outputs()))
                return tuple(self._picked(owner, values[0], i) for i in range(count))
            case "aten::__getitem__" | "prim::TupleIndex":
                return (self._picked(owner, values[0], values[1]),)
            case "prim::NumToTensor" | "aten::Int" | "aten::ScalarImplicit":
                return (values[0],)
        return (self._aten(node, owner, values),)

    def _constant(self, node: Any) -> Any:
        value = node.output().toIValue()
        if not isinstance(value, Tensor):
            return value
        # scalars are written as tensors of no dimension
        if value.dim() == 0:
            return value.item()
        return self._recipe.hold(f"_constants.c{len(self._recipe.tensors)}", value, trainable=False)

    def _attribute(self, holder: Any, name: str) -> Any:
        if not isinstance(holder, _Module):
            raise unknown(self._shown, name, "is an attribute of something that is no module")
        address = f"{holder.address}.{name}" if holder.address else name
        found = getattr(holder.script, name, None)
        if isinstance(found, torch.jit.ScriptModule):
            return _Module(address, found)
        if not isinstance(found, Tensor):
            return found
        if address not in self._recipe.tensors:
            # memory of its own: the file stays as it is, whatever becomes of the model
            plain = found.detach().clone()
            self._recipe.hold(address, plain, isinstance(found, torch.nn.Parameter))
        return Held(address)

    def _picked(self, owner: Owner, value: Any, index: Any) -> Any:
        if isinstance(value, (list, tuple)) and isinstance(index, int):
            return value[index]
        return self._recipe.add(owner, operator.getitem, value, index)

    def _aten(self, node: Any, owner: Owner, values: list[Any]) -> Any:
        name = node.kind().removeprefix("aten::")
        if name in _ARITHMETIC and all(self._number(v) for v in values):
            operands = values[:1] if name == "neg" else values[:2]
            if not any(isinstance(v, Value) for v in operands):
                return _ARITHMETIC[name](*operands)
            return self._noted(self._recipe.add(owner, _ARITHMETIC[name], *operands))
        try:
            plain = name.removesuffix("_")
            if not node.kind().startswith("aten::") or not {name, plain} & known():
                raise aten.Unknown("is not known to qflow")
            schema = torch._C.parse_schema(node.schema())
            args = bound(schema, values, {})
            made = aten.call(self._recipe, owner, name, [self._typed(a) for a in args])
        except aten.Unknown as reason:
            where = f"({owner.address or 'the model'}) {reason}"
            raise unknown(self._shown, node.kind(), where, known()) from reason
        return self._noted(made) if name == "size" and len(values) > 1 else made

    @staticmethod
    def _typed(argument: aten.Argument) -> aten.Argument:
        """A dtype as torch writes it, where the file has its number."""
        if argument.name != "dtype" or not isinstance(argument.value, int):
            return argument
        found = _DTYPES.get(argument.value, argument.value)
        return aten.Argument(argument.name, found, argument.is_default, argument.keyword)

    def _number(self, value: Any) -> bool:
        if isinstance(value, Value):
            return value.index in self._numbers
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def _noted(self, value: Any) -> Any:
        if isinstance(value, Value):
            self._numbers.add(value.index)
        return value
