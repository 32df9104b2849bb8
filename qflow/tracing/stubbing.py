"""stubbing: stubs for a model that has none, and constants that the quantized region reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import fx

from qflow.diagnostics import Diagnostic
from qflow.tracing import operators
from qflow.tracing.call import OWNER, is_tensor, mark_tensor, operands, output_node
from qflow.tracing.constness import constants
from qflow.tracing.generated import CONSTANT, DEQUANT, QUANT, Generated, same
from qflow.tracing.given import input_name
from qflow.tracing.inner import ran
from qflow.tracing.names import Names
from qflow.tracing.values import Shape, first_shape

Values = dict[fx.Node, Any]


def add_stubs(module: fx.GraphModule, values: Values, names: Names) -> tuple[Diagnostic, ...]:
    """Stubs at the inputs and outputs of a model that has none, in place; what was done as a note.

    Float tensors alone get them. Where whole numbers become floats, as in an embedding, a float
    tensor enters as through an input. QF225.
    """
    if any(_ops(module, n) & {QUANT, DEQUANT} for n in module.graph.nodes):
        return ()
    fixed = constants(module, values)
    entries = [n for n in module.graph.nodes if _enters(n, values, fixed)]
    exits: dict[fx.Node, fx.Node] = {}
    result = output_node(module.graph)
    for node in dict.fromkeys(result.all_input_nodes):
        if _float(node, values) and node not in fixed and input_name(node) is None:
            exits[node] = _insert(module, values, names, node, DEQUANT, result)
    for node, stub in exits.items():
        result.replace_input_with(node, stub)
    for node in entries:
        before = node.next
        # inputs stay in front of everything
        while before.op == "placeholder" or input_name(before) is not None:
            before = before.next
        stub = _insert(module, values, names, node, QUANT, before)
        for reader in list(node.users):
            if reader is not stub and reader is not result:
                reader.replace_input_with(node, stub)
    module.recompile()
    if not entries and not exits:
        return ()
    return (
        Diagnostic(
            "QF225",
            "the model has no stubs: all of it lies between generated stubs at its inputs "
            "and outputs",
            notes=(f"tensors that enter: {len(entries)}, that leave: {len(exits)}",),
            help="to keep pre- or post-processing in float, put a QuantStub and a DeQuantStub "
            "around what is to be quantized",
            severity="note",
        ),
    )


def add_constants(module: fx.GraphModule, values: Values, names: Names) -> None:
    """A call of `owner._generated_constant_<k>` for each float constant that an operator between
    the stubs reads, in place."""
    fixed = constants(module, values)
    region = _between(module, values, fixed)
    made: dict[tuple[fx.Node, str], fx.Node] = {}
    for node in [n for n in module.graph.nodes if n in region]:
        for constant in dict.fromkeys(operands(node)):
            if constant not in fixed or not _float(constant, values):
                continue
            owner = str(node.meta.get(OWNER, ""))
            if (constant, owner) not in made:
                made[constant, owner] = _insert(
                    module, values, names, constant, CONSTANT, node, like=node
                )
            node.replace_input_with(constant, made[constant, owner])
    module.recompile()


def _insert(
    module: fx.GraphModule,
    values: Values,
    names: Names,
    source: fx.Node,
    op: str,
    before: fx.Node,
    like: fx.Node | None = None,
) -> fx.Node:
    """A call of a new generated child that hands on `source`. Without `like` it is the root's."""
    address = names.next("", op) if like is None else names.address(like, op)
    module.add_submodule(address, Generated(same, op, op))
    with module.graph.inserting_before(before):
        made = module.graph.call_module(address, (source,))
    made.meta = {} if like is None else {k: v for k, v in like.meta.items() if k in _PLACE}
    made.meta.setdefault(OWNER, "")
    mark_tensor(made)
    values[made] = values[source]
    return made


_PLACE = (OWNER, "qflow.block")


def _enters(node: fx.Node, values: Values, fixed: set[fx.Node]) -> bool:
    """Whether a float tensor comes into the model here."""
    if not _float(node, values) or node in fixed or not node.users:
        return False
    if input_name(node) is not None:
        return True
    return node.op == "call_module" and not any(_float(n, values) for n in operands(node))


def _float(node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
    """Whether a node holds a float tensor; of a tuple, the first is asked."""
    shape: Shape | None = first_shape(values[node]) if is_tensor(node) else None
    return shape is not None and shape.is_float


def _between(module: fx.GraphModule, values: Values, fixed: set[fx.Node]) -> set[fx.Node]:
    """Calls that lead to a dequant stub or an output, and that no float tensor reaches unquantized.

    Without any stub there is nothing between them.
    """
    nodes = list(module.graph.nodes)
    if not any(_ops(module, n) & {QUANT, DEQUANT} for n in nodes):
        return set()
    outside: set[fx.Node] = set()
    for node in nodes:
        sources = [n for n in node.all_input_nodes if is_tensor(n)]
        if input_name(node) is not None and _float(node, values):
            outside.add(node)
        elif QUANT not in _ops(module, node) and any(
            n in outside or DEQUANT in _ops(module, n) for n in sources
        ):
            outside.add(node)
    leads: set[fx.Node] = set()
    for node in reversed(nodes):
        if DEQUANT in _ops(module, node) or node.op == "output":
            leads.update(node.all_input_nodes)
        elif node in leads and not _ops(module, node) & {QUANT, DEQUANT}:
            leads.update(node.all_input_nodes)
    return {
        n
        for n in nodes
        if n.op == "call_module"
        and n in leads
        and n not in outside
        and not _ops(module, n) & {QUANT, DEQUANT}
    }


def _ops(module: fx.GraphModule, node: fx.Node) -> set[str]:
    """Operators a node runs, those inside of it as well."""
    return set(_names(module, node))


def _names(module: fx.GraphModule, node: fx.Node) -> Iterator[str]:
    if node.op != "call_module":
        return
    for address in (str(node.target), *(step.address for step in ran(node).steps)):
        called = module.get_submodule(address)
        if isinstance(called, Generated) and called.op:
            yield called.op
        elif (op := operators.of_module(called)) is not None:
            yield op.name
