"""Networks of every style go through prepare, whatever the setter, and are quantized throughout."""

import pytest
import torch

from qflow import march as marches
from qflow.dtype import DTYPES
from qflow.plan.plan import Shared
from qflow.quantization import (
    FakeQuantState,
    prepare,
    set_fake_quantize,
    unobserved,
)
from qflow.quantization.facts import facts_of
from qflow.quantization.qconfig_template import (
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_qat_qconfig_setter,
    gemm_int8_calibration_qconfig_setter,
)
from tests import networks

SETTERS = (
    default_qat_qconfig_setter,
    calibration_8bit_weight_16bit_act_qconfig_setter,
    gemm_int8_calibration_qconfig_setter,
)


@pytest.mark.parametrize("setter", SETTERS, ids=lambda s: s.name)
@pytest.mark.parametrize("name", networks.NAMES)
def test_a_style(name: str, setter) -> None:
    file = networks.load(name)
    args = file.example()
    kwargs = file.example_kwargs() if hasattr(file, "example_kwargs") else {}
    net = file.network()
    model = prepare(net, args, setter, example_kw_inputs=kwargs, out_dir=None)
    with torch.no_grad():
        wanted = net(*args, **kwargs)
        # fake-quantizers are off: it computes what the model does
        torch.testing.assert_close(model(*args, **kwargs), wanted, rtol=1e-3, atol=1e-4)
        set_fake_quantize(model.eval(), FakeQuantState.CALIBRATION)
        model(*args, **kwargs)
    assert unobserved(model) == ()
    _require_what_the_march_takes(model)


def _require_what_the_march_takes(model) -> None:
    """No plan has a dtype that its operator does not take, and members follow their owners."""
    facts = facts_of(model)
    march = marches.load(facts.march)
    plans = {p.address: p for p in facts.plans}
    for plan in facts.plans:
        support = march.support(plan.op)
        if plan.act is None or support is None:
            continue
        assert plan.act.dtype.value in support.output, plan
        if isinstance(plan.act.source, Shared):
            owner = plans[plan.act.source.owner]
            assert owner.act.dtype.value == plan.act.dtype.value
        if plan.weight is not None:
            assert plan.weight.dtype.value in support.weight
        for operand in plan.inputs:
            if operand is not None:
                assert operand.dtype.value in support.input
                bits = DTYPES[operand.dtype.value].bits
                assert not support.same or bits <= DTYPES[plan.act.dtype.value].bits
