"""P30: a checkpoint with states and old rounding, and a new one."""

import torch

from qflow.quantization import load_checkpoint
from tests.lint.pitfalls.by import Findings, prepared, script, validated
from tests.lint.pitfalls.p01 import Behind

WRONG = """
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    model.load_state_dict(torch.load("qat.pt"))
    export(model, x)
"""
RIGHT = """
    model.load_state_dict(torch.load("qat.pt"))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    export(model, x)
"""


def wrong() -> Findings:
    old = validated(prepared(Behind())).state_dict()
    path = "quant.activation_post_process"
    old[f"{path}.observer_enabled"] = torch.ones(1, dtype=torch.uint8)
    old._metadata[path]["version"] = 1
    assert {d.code for d in script(WRONG)} == {"QF730"}
    found = load_checkpoint(prepared(Behind()), old, strict=False).diagnostics
    assert [d.code for d in found].count("QF730") == 2, found
    return found


def right() -> Findings:
    new = validated(prepared(Behind())).state_dict()
    return (*load_checkpoint(prepared(Behind()), new).diagnostics, *script(RIGHT))
