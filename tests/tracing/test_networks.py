"""Networks of every style: traced as they are, the same values on another batch, by both tracers."""

import copy

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as tree

from qflow.diagnostics import QflowError
from qflow.tracing import Traced, dump, trace_call
from tests import networks

ONLY_BY_EXAMPLE = {
    "bert": "a shape is unpacked with a star",
    "vit": "multi-head attention of torch looks at its arguments",
}
"""Styles that symbolic tracing refuses, or keeps whole where an example shows the inside."""
KINDS = [
    (name, kind)
    for name in networks.NAMES
    for kind in ("network", "stubbed")
    if hasattr(networks.load(name), kind)
]


def call_of(name: str) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    file = networks.load(name)
    return file.example(), getattr(file, "example_kwargs", dict)()


def traced(name: str, kind: str, method: str = "example") -> Traced:
    args, kwargs = call_of(name)
    model = getattr(networks.load(name), kind)()
    return trace_call(model, args, kwargs, method=method)


def larger(x: object) -> object:
    """The same with one more sample."""
    return torch.cat([x, x.flip(0)[:1]]) if isinstance(x, Tensor) else x


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_every_style_goes_through(name: str, kind: str) -> None:
    found = traced(name, kind)
    model = getattr(networks.load(name), kind)()
    args, kwargs = call_of(name)
    # functions written out round elsewhere than the kernels of torch
    exact = name != "vit"
    for inputs in ((args, kwargs), tree.tree_map(larger, (args, kwargs))):
        with torch.no_grad():
            wanted = model(*inputs[0], **inputs[1])
            results = [
                m(*inputs[0], **inputs[1]) for m in (found.module, copy.deepcopy(found.module))
            ]
        for result in results:
            assert tree.tree_structure(result) == tree.tree_structure(wanted)
            for a, b in zip(tree.tree_leaves(wanted), tree.tree_leaves(result), strict=True):
                if exact:
                    assert torch.equal(a, b)
                torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    codes = [n.code for n in found.notes]
    assert codes == ([] if kind == "stubbed" else ["QF225"])
    ops = [m.op for m in found.inventory.modules]
    assert {"quant", "dequant"} <= set(ops)


@pytest.mark.parametrize(("name", "kind"), [k for k in KINDS if k[0] not in ONLY_BY_EXAMPLE])
def test_both_tracers_agree(name: str, kind: str) -> None:
    example, symbolic = (traced(name, kind, m) for m in ("example", "symbolic"))
    assert example.inventory == symbolic.inventory
    assert dump(example) == dump(symbolic)


def test_what_only_an_example_can_trace() -> None:
    with pytest.raises(QflowError, match="QF314"):
        traced("bert", "network", "symbolic")
    whole = traced("vit", "network", "symbolic").inventory.by_address["layers.1.attn"]
    assert (whole.type, whole.op) == ("MultiheadAttention", "unknown")
    inside = traced("vit", "network").inventory.by_address
    assert inside["layers.1.attn.out_proj"].op == "linear"
    assert "unknown" not in {m.op for m in inside.values()}


def test_tied_weights_and_embeddings_of_a_text_encoder() -> None:
    found = traced("bert", "network")
    by_address = found.inventory.by_address
    assert by_address["input_ids"].op == by_address["attention_mask"].op == "input"
    # whole numbers get no stub; what embeddings and the mask make of them does
    sources = found.inventory.sources
    stubs = [sources[a][0] for a, m in by_address.items() if m.op == "quant"]
    assert sorted(stubs) == [
        "_generated_identity_0",  # the mask as floats
        "embeddings.position_embeddings",
        "embeddings.token_type_embeddings",
        "embeddings.word_embeddings",
    ]
    module = copy.deepcopy(found.module)
    assert module.decoder.weight is module.embeddings.word_embeddings.weight
