"""propagate_ranges: from the rows of a calibration table to the ranges the compiler works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Family = Literal["mul32", "shift8", "q31"]
Kind = Literal[
    "abs",
    "add",
    "avg_pool",
    "concat",
    "depth_to_space",
    "leaky_relu",
    "max",
    "max_const",
    "max_pool",
    "min",
    "min_const",
    "mul",
    "mul_const",
    "other",
    "pad",
    "permute",
    "prelu",
    "reduce_extreme",
    "relu",
    "reshape",
    "sigmoid",
    "slice",
    "softmax",
    "squeeze",
    "sub",
    "sub_const",
    "tile",
    "upsample",
]
"""What an operator is to the rules; `other` has none."""
Span = tuple[float, float]
"""Smallest and largest real value of a tensor."""

SIGN_MARGIN = 0.1
"""An unsigned result that must be signed gets a lower end of -0.1 of its upper one."""
BARELY_NEGATIVE = -1e-5
"""Lower end of a difference whose row says it is never negative."""
ROUNDS = 1000
"""More than any chain of operators needs; the rules come to rest long before."""


@dataclass(frozen=True)
class RangeNode:
    """One tensor and the operator that makes it, as far as the rules look at them."""

    id: str
    kind: Kind
    inputs: tuple[str, ...]
    """Ids of the activations it reads; one that is read twice is there twice."""
    span: Span | None
    """From the table's row; None: the tensor has no row."""
    relu: bool = False
    """A relu is fused behind it."""
    constants: tuple[float, ...] = ()
    """The factor of mul_const; of a mul the one value of a constant operand. NaN stands for a
    constant operand of many values."""


def span_of_row(threshold: float, least: float) -> Span:
    """(-th, th) where the row's minimum is negative, else (0, th)."""
    return (-threshold if least < 0 else 0.0), threshold


def scale_of(span: Span, family: Family) -> tuple[float, bool]:
    """Scale, and whether the integers are signed: th/127, or th/255 for an unsigned range."""
    threshold = max(abs(span[0]), abs(span[1]))
    signed = span[0] < 0 or family == "q31"
    return threshold / (127.0 if signed else 255.0), signed


def propagate_ranges(
    nodes: Sequence[RangeNode], outputs: Iterable[str], family: Family
) -> dict[str, Span]:
    """The range of every tensor that has one, in the compiler's order of rules.

    `nodes` in execution order; `outputs` are the net's: each counts as one more use of its tensor.
    """
    graph = _Graph(nodes, tuple(outputs), family)
    for apply in _RULES:
        apply(graph)
    return {n.id: graph.spans[n.id] for n in nodes if n.id in graph.spans}


class _Graph:
    """The ranges as they stand, and who reads what."""

    def __init__(
        self, nodes: Sequence[RangeNode], outputs: tuple[str, ...], family: Family
    ) -> None:
        self.nodes = nodes
        self.family = family
        self.by_id = {n.id: n for n in nodes}
        self.readers: dict[str, list[RangeNode | None]] = {n.id: [] for n in nodes}
        for name in outputs:
            self.readers[name].append(None)
        for node in nodes:
            for source in node.inputs:
                self.readers[source].append(node)
        self.spans = {n.id: _own_range(n, self.by_id) for n in nodes if n.span is not None}

    def set(self, name: str, span: Span) -> bool:
        """Whether the range is another one now."""
        if self.spans.get(name) == span:
            return False
        self.spans[name] = span
        return True

    def forward(self, name: str, span: Span) -> bool:
        """The same; a reshape or permute that reads the tensor takes the range at once."""
        if not self.set(name, span):
            return False
        for reader in self.readers[name]:
            if reader is not None and reader.kind in ("reshape", "permute"):
                self.set(reader.id, span)
        return True

    def backward(self, name: str, span: Span) -> bool:
        """The same; what a reshape or permute reads takes its range at once."""
        if not self.set(name, span):
            return False
        node = self.by_id[name]
        if node.kind in ("reshape", "permute", "depth_to_space"):
            self.set(node.inputs[0], span)
        return True

    def has_one_reader(self, name: str) -> bool:
        return len(self.readers[name]) == 1

    def until_at_rest(self, kinds: set[Kind], rule: Callable[[_Graph, RangeNode], bool]) -> None:
        chosen = [
            n
            for n in self.nodes
            if n.kind in kinds and n.inputs and all(i in self.spans for i in (n.id, *n.inputs))
        ]
        for _ in range(ROUNDS):
            # every node in every round, also where an earlier one changed
            if not any([rule(self, node) for node in chosen]):
                return
        raise AssertionError("the rules do not come to rest")


def _own_range(node: RangeNode, by_id: dict[str, RangeNode]) -> Span:
    """The row, with what the operator says of its own result."""
    assert node.span is not None
    least, most = node.span
    if node.kind in ("sigmoid", "softmax"):
        least, most = 0.0, 1.0
    elif node.kind == "abs":
        least = -most
    elif node.kind == "mul" and not node.constants:
        kinds = {by_id[i].kind for i in node.inputs}
        if len(set(node.inputs)) == 1 or kinds <= {"sigmoid", "relu"}:
            least = 0.0
    elif node.kind == "sub" and least >= 0:
        least = BARELY_NEGATIVE
    if node.relu and node.kind != "sub":
        least = 0.0
    return least, most


def _take_input(graph: _Graph) -> None:
    graph.until_at_rest({"reshape", "permute"}, lambda g, n: g.forward(n.id, g.spans[n.inputs[0]]))


def _signs(graph: _Graph) -> None:
    graph.until_at_rest({"avg_pool", "max_pool", "abs"}, _keep_sign)
    graph.until_at_rest({"sub_const"}, _sign_of_sub_const)


def _keep_sign(graph: _Graph, node: RangeNode) -> bool:
    """Signed in and unsigned out becomes signed, unsigned in and signed out unsigned."""
    least, most = graph.spans[node.id]
    signed = graph.spans[node.inputs[0]][0] < 0
    if signed == (least < 0):
        return False
    span = (-SIGN_MARGIN * most if signed else 0.0, most)
    if span == (least, most) or not graph.forward(node.id, span):
        return False
    for reader in graph.readers[node.id]:
        if reader is not None and reader.kind in ("avg_pool", "max_pool", "abs"):
            graph.set(reader.id, span)
    return True


def _sign_of_sub_const(graph: _Graph, node: RangeNode) -> bool:
    """A number minus what is never negative may be negative."""
    least, most = graph.spans[node.id]
    if graph.spans[node.inputs[0]][0] < 0 or least < 0 or most == 0:
        return False
    return graph.forward(node.id, (-SIGN_MARGIN * most, most))


def _signs_of_two(graph: _Graph) -> None:
    if graph.family == "q31":
        return
    graph.until_at_rest({"mul"}, _sign_of_mul)
    graph.until_at_rest({"sub_const"}, _sign_of_sub_const)
    graph.until_at_rest({"sub"}, _sign_of_sub)


def _sign_of_mul(graph: _Graph, node: RangeNode) -> bool:
    """A product of two signed tensors is signed."""
    if len(node.inputs) + len(node.constants) != 2:
        return False
    if any(c != c for c in node.constants):  # many values: the rule does not look at them
        return False
    least, most = graph.spans[node.id]
    signed = [graph.spans[i][0] < 0 for i in node.inputs] + [c < 0 for c in node.constants]
    if least < 0 or not all(signed) or most == 0:
        return False
    return graph.forward(node.id, (-SIGN_MARGIN * most, most))


def _sign_of_sub(graph: _Graph, node: RangeNode) -> bool:
    least, most = graph.spans[node.id]
    if least < 0 or most == 0:
        return False
    return graph.forward(node.id, (-SIGN_MARGIN * most, most))


def _join(graph: _Graph) -> None:
    graph.until_at_rest({"concat", "min", "max"}, _join_one)


def _join_one(graph: _Graph, node: RangeNode) -> bool:
    """One range for inputs and output, where only this node and max pools read the inputs."""
    if node.constants:
        return False
    for name in node.inputs:
        readers = graph.readers[name]
        shared = any(r is None or (r is not node and r.kind != "max_pool") for r in readers)
        if len(readers) > 1 and shared:
            return False
    spans = [graph.spans[i] for i in node.inputs]
    if node.kind == "concat" and len({s[0] >= 0 for s in spans}) > 1:
        return False
    if all(s == spans[0] for s in spans):
        return graph.set(node.id, spans[0])
    return any([graph.backward(i, graph.spans[node.id]) for i in node.inputs])


def _back(graph: _Graph) -> None:
    kinds: set[Kind] = {"relu", "max_pool", "abs", "depth_to_space", "leaky_relu"}
    if graph.family != "q31":
        kinds.add("prelu")
    graph.until_at_rest(kinds, _back_one)


def _back_one(graph: _Graph, node: RangeNode) -> bool:
    """What only this node reads takes its range; before a leaky relu it keeps its lower end."""
    source = node.inputs[0]
    if not graph.has_one_reader(source):
        return False
    least, most = graph.spans[node.id]
    if node.kind == "prelu" or (node.kind == "leaky_relu" and graph.family != "q31"):
        least = graph.spans[source][0]
    return graph.backward(source, (least, most))


def _muls_of_add(graph: _Graph) -> None:
    if graph.family == "mul32":
        graph.until_at_rest({"add"}, _muls_of_one_add)


def _muls_of_one_add(graph: _Graph, node: RangeNode) -> bool:
    """The products of a sum take its range."""
    alone = all(graph.by_id[i].kind == "mul" and graph.has_one_reader(i) for i in node.inputs)
    if not alone or node.constants:
        return False
    return any([graph.backward(i, graph.spans[node.id]) for i in node.inputs])


def _forward(graph: _Graph) -> None:
    kinds: set[Kind] = {
        "abs",
        "leaky_relu",
        "max_const",
        "max_pool",
        "min_const",
        "mul_const",
        "pad",
        "permute",
        "relu",
        "reshape",
        "slice",
        "squeeze",
        "tile",
    }
    if graph.family == "q31":
        kinds.add("reduce_extreme")
    else:
        kinds |= {"prelu", "upsample"}
    if graph.family == "shift8":
        kinds.add("avg_pool")
    graph.until_at_rest(kinds, _forward_one)


def _forward_one(graph: _Graph, node: RangeNode) -> bool:
    least, most = graph.spans[node.inputs[0]]
    if node.kind == "mul_const":
        factor = node.constants[0]
        if factor < 0:
            least, most = most, least
        if factor != 0:
            least, most = least * factor, most * factor
    return graph.forward(node.id, (least, most))


_RULES: tuple[Callable[[_Graph], None], ...] = (
    _take_input,
    _signs,
    _signs_of_two,
    _join,
    _back,
    _muls_of_add,
    _forward,
    _signs,
)
"""In the order in which the compiler runs them."""
