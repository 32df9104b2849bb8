"""feeding: what the integer model reads from outside: inputs, constants, whole numbers on the way.

A position embedding or a mask that no input reaches is a constant. An embedding whose rows enter
through a stub belongs to the integer model: it reads the whole numbers. So does what only moves
whole numbers on their way to a stub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.quantization.prepared import PreparedNode
from qflow.quantization.probing import Probes
from qflow.quantization.truth import LOGIC, keeps_numbers, logic_of
from qflow.tracing import operators
from qflow.tracing.call import Call, call_of, operands, part_of, producer

INDEX = "index"
"""`out_dtype` of whole numbers."""


@dataclass
class Feeding:
    """Gives every tensor that is read an id, and makes the nodes for those from outside."""

    ids: Mapping[fx.Node, str]
    """Of every call."""
    inside: frozenset[fx.Node]
    """Calls that are recorded anyway."""
    probes: Probes
    emit: Callable[[PreparedNode], None]
    inputs: dict[str, tuple[fx.Node, PreparedNode]] = field(default_factory=dict)
    taken: set[fx.Node] = field(default_factory=set)
    """Calls from outside that became part of it."""
    _made: dict[fx.Node, str] = field(default_factory=dict)

    def inner(self, tensor: fx.Node) -> str:
        """Id of a tensor that a call of the integer model makes."""
        source = producer(tensor)
        assert source is not None
        return _part(self.ids[source], part_of(tensor))

    def read(self, tensor: fx.Node, reader: PreparedNode) -> str:
        """Id of a tensor; behind it, `:<k>` where its producer makes several."""
        source = producer(tensor)
        if source in self.inside:
            return self.inner(tensor)
        if tensor in self._made:
            return self._made[tensor]
        if self.probes.is_fixed(tensor):
            made = self._constant(tensor, reader)
        elif source is not None and (whole := self._of_whole_numbers(source)) is not None:
            self.taken.add(source)
            read = tuple(self.read(n, whole) for n in operands(source))
            self.emit(replace(whole, inputs=read))
            made = whole.id
        else:
            made = self._input(tensor)
        self._made[tensor] = made
        return made

    def entered(self, node: fx.Node, plain: PreparedNode) -> PreparedNode | None:
        """What a stub or a generated constant stands for, where that is no stub of a float tensor:
        a constant; rows or numbers that whole numbers choose, on the grid of the stub."""
        (tensor,) = operands(node)
        source = producer(tensor)
        if source in self.inside:
            return None
        if self.probes.is_fixed(tensor):
            if source is not None:
                self.taken.add(source)
            return self.constant(tensor, plain)
        call = call_of(source) if source is not None else None
        if source is None or call is None or call.op not in ("embedding", "where"):
            return None
        if not all(map(self._is_whole, operands(source))):
            return None
        read = tuple(self.read(n, plain) for n in operands(source))
        made = replace(plain, op=call.op, inputs=read, attributes=dict(call.attributes))
        self.taken.add(source)
        if call.op == "where":
            return made
        module: Any = source.graph.owning_module.get_submodule(call.address)  # type: ignore[union-attr]
        return replace(made, weight=_array(module.weight))

    def constant(self, tensor: fx.Node, plain: PreparedNode) -> PreparedNode:
        """A node that holds the value. QF502 where its values follow the batch, not its size."""
        assert self.probes.here is not None
        value = _array(self.probes.here.fixed[tensor])
        free = self.probes.free(tensor)
        made = replace(plain, op="constant", inputs=(), attributes={}, weight=value, free=())
        if self.probes.more is None or tensor not in self.probes.more.fixed:
            return made
        more = _array(self.probes.more.fixed[tensor])
        if not free and np.array_equal(value, more, equal_nan=value.dtype.kind == "f"):
            return made
        if len(free) != 1 or value.shape[free[0]] % self.probes.batch:
            raise _follows_the_batch(plain)
        (axis,) = free
        one = np.split(value, self.probes.batch, axis)[0]
        for batch, found in ((self.probes.batch, value), (self.probes.batch + 1, more)):
            if not np.array_equal(np.concatenate([one] * batch, axis), found):
                raise _follows_the_batch(plain)
        teller = self._teller(plain)
        return replace(made, inputs=(teller,), attributes={"axis": axis}, weight=one, free=free)

    def _constant(self, tensor: fx.Node, reader: PreparedNode) -> str:
        count = sum(name.startswith(f"{reader.id}.constant") for name in self._made.values())
        plain = replace(_plain(f"{reader.id}.constant{count or ''}", reader), out_dtype=INDEX)
        shape = self.probes.shape(tensor)
        made = self.constant(tensor, replace(plain, shape=shape or ()))
        self.emit(made)
        return made.id

    def _teller(self, reader: PreparedNode) -> str:
        """Id of an input that tells how many samples there are."""
        for node in next(iter(self.ids)).graph.nodes:
            call = call_of(node)
            if call is not None and call.op == "input" and call.shape:
                if self.probes.free(node) == (0,):
                    return self._input(node)
        raise _follows_the_batch(reader)

    def _input(self, tensor: fx.Node) -> str:
        source = producer(tensor)
        call = call_of(source) if source is not None else None
        if source is None or call is None:
            raise fail(
                Diagnostic(
                    "QF502",
                    f"`{tensor.name}` is a constant whose value is not known: the model cannot run "
                    "on zeros of its example's shape",
                    help="register it as a buffer",
                )
            )
        id_ = _part(self.ids[source], part_of(tensor))
        if id_ not in self.inputs:
            shape = self.probes.shape(tensor) or call.shape
            dtype = INDEX if self.probes.is_whole(tensor) else "float32"
            made = PreparedNode(id_, id_, "input", (), out_dtype=dtype, shape=shape)
            self.inputs[id_] = (source, made)
        return id_

    def _of_whole_numbers(self, source: fx.Node) -> PreparedNode | None:
        """A call outside that moves or compares whole numbers, without what it reads; None for
        any other. A cast to floats leaves them whole."""
        call, read = call_of(source), operands(source)
        dtype = self.probes.dtype(source)
        if call is None or dtype is None or not read or not all(map(self._is_whole, read)):
            return None
        plain = PreparedNode(self.ids[source], call.address, call.op, (), out_dtype=INDEX)
        plain = replace(plain, shape=call.shape, free=self.probes.free(source))
        given = tuple(d for n in read if (d := self.probes.dtype(n)) is not None)
        if (logic := logic_of(source, call, given, dtype)) is not None:
            return replace(plain, op=LOGIC, attributes=logic)
        if len(read) == 1 and keeps_numbers(call, dtype):
            return replace(plain, op="identity")
        if not _carries(call.op) or len(read) != 1:
            return None
        return replace(plain, attributes=settled(plain, call, read[0], self.probes))

    def _is_whole(self, tensor: fx.Node) -> bool:
        """Whether a tensor from outside holds whole numbers, be it in floats."""
        source = producer(tensor)
        if source in self.inside or part_of(tensor) is not None:
            return False
        if self.probes.is_whole(tensor):
            return True
        return source is not None and self._of_whole_numbers(source) is not None


def _carries(name: str) -> bool:
    """Whether an operator takes whole numbers for what they are."""
    found = operators.of_name(name)
    if found is None:
        return False
    return found.integer and found.keeps_type and "int32" in found.reads and found.operands[1] == 1


def settled(
    node: PreparedNode, call: Call, first: fx.Node | None, probes: Probes
) -> dict[str, object]:
    """The attributes of a call without the batch of the example, where they can do without it."""
    shape = None if first is None else probes.shape(first)
    found = operators.of_name(call.op)
    if first is None or shape is None or found is None:
        return dict(call.attributes)
    given = replace(node, attributes=call.attributes)
    try:
        return dict(found.settled(given, shape, probes.free(first)))
    except operators.unsupported():
        # lowering says it, or the operator runs as floats
        return dict(call.attributes)


def _plain(id_: str, reader: PreparedNode) -> PreparedNode:
    return PreparedNode(id_, reader.address, "constant", ())


def _part(id_: str, part: int | None) -> str:
    return id_ if part is None else f"{id_}:{part}"


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    """float32, or whole numbers as they are; truth values are 0 and 1."""
    plain = tensor.detach().cpu()
    if plain.is_floating_point():
        return plain.float().numpy().copy()
    return plain.to(torch.int64).numpy().copy()


def _follows_the_batch(node: PreparedNode) -> QflowError:
    return fail(
        Diagnostic(
            "QF502",
            f"`{node.address}` reads a constant whose values depend on the number of samples",
            help="make it the same for every sample, or hand it to the model as an input",
        )
    )
