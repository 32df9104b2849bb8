"""dumping: a traced or prepared model as stable text, one line per node.

    add  left._generated_add_0  {}  (left.bn, stem.2)  [2,8,8,8]

Operator, address, attributes, operands, shape. A call that repeats has `#1` behind its address, a
dynamic block stands between `scope` and `scope_end`. Two dumps are compared with `diff`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from torch import fx

from qflow.tracing.blocks import placed
from qflow.tracing.call import Call, call_of, inner_of, operands, producer
from qflow.tracing.inner import RAN
from qflow.tracing.inventory import outputs_of
from qflow.tracing.traced import Traced

FIRST = "qflow graph 1"


def dump(model: Traced | fx.GraphModule) -> str:
    """The graph of a traced, fused or prepared model, in execution order.

    The same model gives the same text anywhere: no identity, path or number of a node is in it.
    """
    module = model.module if isinstance(model, Traced) else model
    return "\n".join((FIRST, *_lines(module.graph))) + "\n"


def _lines(graph: fx.Graph) -> Iterator[str]:
    names: dict[fx.Node, str] = {}
    calls: Counter[str] = Counter()
    scope = ""
    for node in graph.nodes:
        if (call := call_of(node)) is None:
            continue
        place = placed(node)
        block = place.block if place else ""
        if block != scope:
            if scope:
                yield f"scope_end {scope}"
            if block:
                yield f"scope {block}"
            scope = block
        repeat = calls[call.address]
        calls[call.address] += 1
        names[node] = f"{call.address}#{repeat}" if repeat else call.address
        indent = "  " if scope else ""
        for inner in inner_of(node):
            yield f"{indent}  inside {_node(inner.call, inner.call.address, ())}"
        sources = (producer(n) for n in operands(node))
        read = tuple(names.get(s, "constant") if s is not None else "constant" for s in sources)
        kept = " kept whole" if RAN in node.meta else ""
        yield f"{indent}{_node(call, names[node], read)}{kept}"
    if scope:
        yield f"scope_end {scope}"
    for name, node in outputs_of(graph).items():
        source = producer(node)
        yield f"output  output.{name}  {{}}  ({names[source] if source else 'constant'})  []"


def _node(call: Call, name: str, read: tuple[str, ...]) -> str:
    """One node as text."""
    op = call.op if call.op != "unknown" else f"unknown:{call.type}"
    shape = ",".join(map(str, call.shape))
    return f"{op}  {name}  {_attributes(call.attributes)}  ({', '.join(read)})  [{shape}]"


def _attributes(attributes: Mapping[str, Any]) -> str:
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in attributes.items()}
    return json.dumps(plain, sort_keys=True, default=str)
