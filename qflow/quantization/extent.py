"""extent: how far the integer model of a prepared graph reaches: what is recorded of it.

Inside is what a quantize reaches and what reaches a dequantize. Layout operators behind a
dequantize belong to it where nothing else lies between them and the outputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from torch import fx

from qflow.plan import op_facts
from qflow.tracing.call import call_of, operands, part_of, producer
from qflow.tracing.inventory import outputs_of

QUANT, DEQUANT = "quant", "dequant"
SOURCES = (QUANT, "constant")


@dataclass(frozen=True)
class Extent:
    graph: fx.Graph
    planned: frozenset[fx.Node] = frozenset()
    """Calls that belong to it wherever they are: what a plan runs on floats around the stubs."""

    @cached_property
    def inside(self) -> frozenset[fx.Node]:
        """Calls that are recorded: between the stubs, these included, and planned; all calls where
        there is no stub."""
        return self._between | self.planned

    @cached_property
    def _between(self) -> frozenset[fx.Node]:
        calls = frozenset(n for n in self.graph.nodes if call_of(n) is not None)
        if not any(_op(n) == QUANT for n in calls):
            return calls
        starts = [n for n in calls if _op(n) in SOURCES]
        ends = [n for n in calls if _op(n) == DEQUANT]
        ends += [n for t in outputs_of(self.graph).values() if (n := _makes_index(t)) is not None]
        behind = _reached(starts, lambda n: n.users, (DEQUANT,))
        before = _reached(ends, lambda n: n.all_input_nodes, SOURCES)
        return calls & behind & before

    @cached_property
    def tails(self) -> frozenset[fx.Node]:
        """Layout operators between a dequantize and outputs, with no other reader on the way."""
        found = self._hanging(lambda node: True)
        for node in reversed(self.graph.nodes):
            if node in found and not _leads_out(node, found):
                found.discard(node)
        # what hangs on one that something else reads is outside as well
        return frozenset(self._hanging(lambda node: node in found))

    def _hanging(self, fits: Callable[[fx.Node], bool]) -> set[fx.Node]:
        """Layout operators that fit and hang on a dequantize by such alone."""
        found: set[fx.Node] = set()
        for node in self.graph.nodes:
            if node not in self.inside and _rearranges(node) and fits(node):
                source = producer(operands(node)[0])
                if source in found or (source in self.inside and _op(source) == DEQUANT):
                    found.add(node)
        return found

    @cached_property
    def ends(self) -> tuple[tuple[str, fx.Node], ...]:
        """Tensors that leave, by name: declared outputs, then dequantizes something outside reads.

        The latter go by their addresses: they stand for outputs that are computed from them. A stub
        that several tensors pass is followed by the number of its call, `dequant#1`.
        """
        named = outputs_of(self.graph).items()
        ends = [(name, n) for name, n in named if self._leaves(n)]
        taken = {producer(n) for _, n in ends}
        calls: Counter[str] = Counter()
        for node in self.graph.nodes:
            if (call := call_of(node)) is None:
                continue
            repeat = calls[call.address]
            calls[call.address] += 1
            if node in taken or node not in self.inside or call.op != DEQUANT:
                continue
            if any(r in self.outside for r in node.users):
                ends.append((f"{call.address}#{repeat}" if repeat else call.address, node))
        return tuple(ends)

    @cached_property
    def outside(self) -> tuple[fx.Node, ...]:
        """Calls that are neither inside nor tails, and no inputs."""
        calls = (n for n in self.graph.nodes if call_of(n) is not None and _op(n) != "input")
        return tuple(n for n in calls if n not in self.inside and n not in self.tails)

    def _leaves(self, tensor: fx.Node) -> bool:
        index = _makes_index(tensor)
        return (index or producer(tensor)) in (self.inside if index else self._leaving)

    @cached_property
    def _leaving(self) -> frozenset[fx.Node]:
        if not any(_op(n) == QUANT for n in self.inside):
            return self.inside
        return frozenset(n for n in self.inside if _op(n) == DEQUANT) | self.tails | self.planned


def _makes_index(tensor: fx.Node) -> fx.Node | None:
    """The call that makes a tensor of whole numbers from values on a grid: argmax, topk."""
    source, part = producer(tensor), part_of(tensor)
    if source is None:
        return None
    is_part = part is not None and part == op_facts.index_part(_op(source))
    return source if is_part or op_facts.gives_indices(_op(source)) else None


def _leads_out(node: fx.Node, tails: set[fx.Node]) -> bool:
    # who is no call reads a size, and no values
    readers = [r for r in node.users if r.op == "output" or call_of(r) is not None]
    return bool(readers) and all(r.op == "output" or r in tails for r in readers)


def _reached(
    starts: Iterable[fx.Node], steps: Callable[[fx.Node], Iterable[fx.Node]], ends: Iterable[str]
) -> set[fx.Node]:
    """Nodes reached in such steps, not walking past operators of `ends`."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        node = waiting.pop()
        if _op(node) in ends:
            continue
        for other in steps(node):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _op(node: fx.Node | None) -> str:
    call = None if node is None else call_of(node)
    return "" if call is None else call.op


def _rearranges(node: fx.Node) -> bool:
    return op_facts.rearranges(_op(node)) and len(operands(node)) == 1
