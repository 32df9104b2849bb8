"""prepare_plan: the fake-quantizers are those of the plan."""

import numpy as np

from qflow import march as marches
from qflow.diagnostics import Span
from qflow.dtype import qint16
from qflow.plan import fusion
from qflow.plan.plan import (
    Decided,
    GraphSpec,
    ModelSpec,
    ModulePlan,
    Observed,
    Plan,
    Shared,
    TargetSpec,
    TensorPlan,
)
from qflow.plan.plan import (
    Fixed as FixedScale,
)
from qflow.quantization import (
    prepare_plan,
    record,
)
from qflow.quantization.observers.percentile import Percentile
from qflow.tracing import trace
from tests.quantization.prepared_models import calibrated, only
from tests.tracing.models import SmallNet, image, with_statistics


def decided(value) -> Decided:
    return Decided(value, Span("x.qf", 1, 1, 1, 2))


def activation(source, dtype: str = "int8") -> TensorPlan:
    return TensorPlan(decided(dtype), decided("per_tensor"), None, source)


def plan_of(modules, fusions=()) -> Plan:
    return Plan(
        path="x.qf",
        edition=1,
        params=(),
        model=ModelSpec("m", "a:b", (), None, (), ()),
        target=TargetSpec("board", "nash-m", "mul15", "error"),
        data=(),
        graph=GraphSpec(),
        modules=tuple(modules),
        fusions=tuple(fusions),
        stages=(),
        claims=(),
        exports=(),
        hashes=(),
    )


def test_prepare_plan_follows_the_plan() -> None:
    net = trace(with_statistics(SmallNet()), {"image": image()}, ("logits",), "a:b")
    fusions = fusion.find(net.inventory, ("int8",), lambda _: "int8")
    observed = Observed(decided("percentile"), (("percentile", decided(99)),))
    per_tensor = TensorPlan(
        decided("int8"), decided("per_tensor"), None, Observed(decided("min_max"))
    )
    per_channel = TensorPlan(
        decided("int16"), decided("per_channel"), 0, Observed(decided("min_max"))
    )
    shared = activation(Shared("stem.0", "max pool"))
    modules = [
        ModulePlan(
            "quant", "QuantStub", "quant", activation(FixedScale(decided(1 / 128))), None, None
        ),
        ModulePlan("stem.0", "Conv2d", "conv2d", activation(observed, "int16"), per_tensor, None),
        ModulePlan("stem.1", "BatchNorm2d", "batch_norm", None, None, None, absorbed_by="stem.0"),
        ModulePlan("pool", "MaxPool2d", "max_pool2d", shared, None, decided("int16")),
        ModulePlan("fc", "Linear", "linear", None, per_channel, decided("int32")),
        ModulePlan("dequant", "DeQuantStub", "dequant", None, None, decided("float32")),
    ]
    model = prepare_plan(net, plan_of(modules, fusions), marches.load("nash-m"))
    assert not model.training
    quant = model.quant.activation_post_process
    assert (float(quant.scale), quant.fixed, quant.observed) == (1 / 128, 1 / 128, True)
    stem = model.get_submodule("stem.0")
    assert stem.activation_post_process.observer == Percentile(99)
    assert stem.activation_post_process.dtype is qint16
    assert stem.weight_fake_quant.scale.shape == (1,)
    assert model.fc.weight_fake_quant.dtype is qint16
    assert stem.weight_fake_quant.address == "stem.0.weight"
    graph = record(calibrated(model))
    assert only(graph, "stem.0").weight_grid.axis is None
    assert only(graph, "pool").out_dtype == "int16"
    assert only(graph, "left._generated_add_0").grid is None
    assert only(graph, "quant").grid.scale == np.float32(1 / 128)


def test_preparing_leaves_the_trace_alone() -> None:
    net = trace(with_statistics(SmallNet()), {"image": image()}, ("logits",), "a:b")
    keys = list(net.module.state_dict())
    prepare_plan(net, plan_of([]), marches.load("generic"))
    assert list(net.module.state_dict()) == keys
