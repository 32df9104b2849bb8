"""layers: what runs in a prepared model, as rows: dtypes that enter and leave, observers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from torch import fx, nn

from qflow.plan.inventory import Inventory
from qflow.quantization.attach import output_grid
from qflow.quantization.facts import facts_of
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.key_names import INPUT, OUTPUT, WEIGHT
from qflow.quantization.watching import is_leaf
from qflow.tracing.call import Call, call_of, operands, producer

FLOAT = "float32"


@dataclass(frozen=True)
class Layer:
    """One address that runs; a fused module has one row."""

    address: str
    type: str
    op: str
    inputs: tuple[str, ...]
    """dtype each tensor operand arrives in; empty where that is not known."""
    output: str
    """dtype of the output; int32 where the accumulator is kept, empty where it is not known."""
    sources: tuple[str, ...] = ()
    """Addresses it reads."""
    calls: int = 1
    act: FakeQuantize | None = None
    weight: FakeQuantize | None = None
    pre: tuple[FakeQuantize | None, ...] = ()
    """Per operand the grid it is brought to first; missing at the end: as it comes."""
    has_weight: bool = False

    @property
    def quantized(self) -> bool:
        """Whether anything of it has a grid, or it keeps an accumulator."""
        return bool(self.act or self.weight or any(self.pre)) or self.output not in (FLOAT, "")


def layers_of(prepared: nn.Module) -> tuple[Layer, ...]:
    """Rows in execution order; of a model without a graph in order of registration."""
    if has_graph(prepared):
        assert isinstance(prepared, fx.GraphModule)
        return tuple(_of_graph(prepared).values())
    return tuple(_of_modules(prepared))


def has_graph(prepared: nn.Module) -> bool:
    """Whether it is a traced model, whose nodes say what they do."""
    return isinstance(prepared, fx.GraphModule) and any(map(call_of, prepared.graph.nodes))


def _of_graph(prepared: fx.GraphModule) -> dict[str, Layer]:
    types = _types(prepared)
    found: dict[str, Layer] = {}
    for node in prepared.graph.nodes:
        if (call := call_of(node)) is None or call.op == "input":
            continue
        if known := found.get(call.address):
            found[call.address] = Layer(**{**vars(known), "calls": known.calls + 1})
            continue
        found[call.address] = _layer(prepared, node, call, types)
    # modules inside a wrapped method have no node: the method calls them by themselves
    for layer in _of_modules(prepared):
        if layer.act or layer.weight:
            found.setdefault(layer.address, layer)
    return found


def _layer(prepared: fx.GraphModule, node: fx.Node, call: Call, types: Mapping[str, str]) -> Layer:
    module = prepared.get_submodule(call.address)
    sources = [p for n in operands(node) if (p := producer(n)) is not None]
    grids = input_quantizers(module)
    return Layer(
        address=call.address,
        type=types.get(call.address, call.type),
        op=call.op,
        inputs=tuple(_dtype(s) for s in sources),
        output=output_grid(node).dtype,
        sources=tuple(c.address for s in sources if (c := call_of(s))),
        act=own(module, OUTPUT),
        weight=own(module, WEIGHT),
        pre=grids,
        has_weight="weight" in dict(module.named_parameters(recurse=False)),
    )


def _dtype(node: fx.Node) -> str:
    return output_grid(node).dtype


def _types(prepared: nn.Module) -> dict[str, str]:
    """Types of fused modules: what they are made of."""
    facts = facts_of(prepared)
    if facts is None:
        return {}
    modules = facts.inventory.by_address
    return {f.at: "+".join(modules[m].type for m in f.members) for f in facts.fusions}


def _of_modules(prepared: nn.Module) -> Iterator[Layer]:
    for address, module in prepared.named_modules():
        act, weight = own(module, OUTPUT), own(module, WEIGHT)
        if not address or (act is None and weight is None and not is_leaf(address, module)):
            continue
        yield Layer(
            address=address,
            type=type(module).__name__,
            op="",
            inputs=(),
            output=str(act.dtype) if act else "",
            act=act,
            weight=weight,
            pre=input_quantizers(module),
            has_weight="weight" in dict(module.named_parameters(recurse=False)),
        )


def with_sources(layers: tuple[Layer, ...], inventory: Inventory) -> tuple[Layer, ...]:
    """Rows of a model without a graph, in the order it ran, with what each of them reads.

    Rows that know their operands already are left as they are.
    """
    if any(layer.sources for layer in layers):
        return layers
    by_address = {layer.address: layer for layer in layers}
    rows: dict[str, Layer] = {}
    for module in inventory.modules:
        if module.op in ("input", "output"):
            continue
        sources = inventory.sources[module.address]
        given = tuple(rows[s].output if s in rows else FLOAT for s in sources)
        row = by_address.get(module.address) or Layer(
            module.address, module.type, module.op, (), ""
        )
        passes = module.op in ("identity", "quant") or (bool(given) and set(given) == {FLOAT})
        output = row.output or (given[0] if given and passes and module.op != "quant" else FLOAT)
        rows[module.address] = replace(
            row, op=module.op, inputs=given, output=output, sources=sources, calls=module.calls
        )
    return tuple(rows.values())


def own(module: nn.Module, name: str) -> FakeQuantize | None:
    """A module's fake-quantizer of that name."""
    found = module._modules.get(name)
    return found if isinstance(found, FakeQuantize) else None


def input_quantizers(module: nn.Module) -> tuple[FakeQuantize | None, ...]:
    """Per operand the fake-quantizer it passes first; children are called by operand number."""
    held = module._modules.get(INPUT)
    if held is None:
        return ()
    if isinstance(held, FakeQuantize):
        return (held,)
    slots = {int(n): m for n, m in held.named_children() if n.isdecimal()}
    found = (slots.get(i) for i in range(max(slots, default=-1) + 1))
    return tuple(m if isinstance(m, FakeQuantize) else None for m in found)
