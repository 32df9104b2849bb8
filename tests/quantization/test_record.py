"""record: what lowering gets of a prepared model."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.quantization import (
    prepare,
    record,
    unobserved,
)
from qflow.tracing import fuse, trace
from tests.quantization.prepared_models import calibrated, only
from tests.tracing.models import SmallNet, image, with_statistics


def test_record_of_the_small_net() -> None:
    model = calibrated(
        prepare(with_statistics(SmallNet()), {"image": image()}, output_names=["logits"])
    )
    graph = record(model)
    assert [(n.id, n.op, n.out_dtype) for n in graph.nodes] == [
        ("image", "input", "float32"),
        ("quant", "quant", "int8"),
        ("stem.0", "conv2d", "int8"),
        ("left._generated_add_0", "conv2d", "int8"),
        ("right._generated_add_0", "conv2d", "int8"),
        ("pool", "max_pool2d", "int8"),
        ("_generated_flatten_0", "flatten", "int8"),
        ("drop", "identity", "int8"),
        ("fc", "linear", "int32"),
        ("dequant", "dequant", "float32"),
    ]
    assert (graph.inputs, graph.outputs) == (("image",), (("logits", "dequant"),))
    left = only(graph, "left._generated_add_0")
    assert left.inputs == ("stem.0", "stem.0")
    assert (left.activation, left.residual) == ("relu", True)
    assert left.attributes["padding"] == (1, 1, 1, 1)
    assert left.shape == (2, 8, 8, 8)
    assert left.weight.dtype == left.bias.dtype == np.float32
    assert left.weight_grid.scale.shape == (8,)
    assert left.weight_grid.axis == 0
    assert left.grid.axis is None
    stem = only(graph, "stem.0")
    assert (stem.activation, stem.residual) == ("relu", False)
    fc = only(graph, "fc")
    assert (fc.grid, fc.activation, fc.residual) == (None, None, False)
    assert only(graph, "dequant").grid is None


def test_the_residual_comes_last_whichever_operand_it_was() -> None:
    class Net(SmallNet):
        def forward(self, image: Tensor) -> Tensor:
            x = self.quant(image)
            a = self.stem(x)
            b = self.left.conv(a)
            return self.dequant(self.drop(b + a) + self.right.conv(a))

    graph = record(calibrated(prepare(with_statistics(Net()), {"image": image()})))
    inner, outer = (n for n in graph.nodes if n.residual)
    assert inner.inputs == ("stem.0", "stem.0")
    assert outer.inputs == ("stem.0", "drop")


def test_a_record_is_a_copy() -> None:
    model = calibrated(prepare(with_statistics(SmallNet()), {"image": image()}))
    graph = record(model)
    before = only(graph, "fc").weight.copy()
    with torch.no_grad():
        model.fc.weight.zero_()
        model.fc.weight_fake_quant.scale.zero_()
    assert np.array_equal(only(graph, "fc").weight, before)
    assert only(graph, "fc").weight_grid.scale.min() > 0


def test_record_computes_what_the_model_does() -> None:
    """Quantized by hand from the record alone: the numbers are those of the model."""
    model = calibrated(prepare(with_statistics(SmallNet()), {"image": image()}))
    graph = record(model)
    quant, fc = only(graph, "quant"), only(graph, "fc")
    x = image(3)
    steps = np.clip(np.round(x.numpy() / quant.grid.scale), -128, 127)
    wanted = model.quant(x).detach().numpy()
    assert np.array_equal(steps.astype(np.float32) * quant.grid.scale, wanted)
    scale = fc.weight_grid.scale[:, None]
    weight = np.clip(np.round(fc.weight / scale), -128, 127).astype(np.float32) * scale
    assert np.array_equal(weight, model.fc.effective_weight().detach().numpy())


def test_every_unobserved_address_is_reported_at_once() -> None:
    model = prepare(with_statistics(SmallNet()), {"image": image()})
    with pytest.raises(QflowError) as caught:
        record(model)
    assert [d.code for d in caught.value.diagnostics] == ["QF401"] * 5
    text = str(caught.value)
    assert all(f"`{a}`" in text for a in unobserved(model))


def test_an_unknown_operator_cannot_be_recorded() -> None:
    model = nn.Sequential(nn.ReLU(), nn.Hardshrink())
    net = trace(model, {"x": image()}, ("y",), "e")
    with pytest.raises(QflowError, match="QF502: `1` is no operator"):
        record(fuse(net, ()))
