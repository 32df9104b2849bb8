"""key_names: what a state-dict key belongs to: module, and the part of it."""

from __future__ import annotations

import re

OUTPUT = "activation_post_process"
WEIGHT = "weight_fake_quant"
INPUT = "activation_pre_process"
"""Holds a child per operand that has a grid, named by its number."""
PARTS = (OUTPUT, WEIGHT, INPUT)
"""Children of a module that are its fake-quantizers."""
SWITCHES = ("fake_quant_enabled", "observer_enabled")
"""What older checkpoints keep of a fake-quantizer's state."""
_GENERATED = re.compile(r"(?P<owner>(?:.*\.)?)_generated_(?P<op>.+)_(?P<number>\d+)$")


def split(key: str) -> tuple[str, str]:
    """Address of the module and the rest: `head`, `activation_post_process.scale`."""
    words = key.split(".")
    for place, word in enumerate(words):
        if word in PARTS:
            return ".".join(words[:place]), ".".join(words[place:])
    return key.rpartition(".")[0], words[-1]


def is_quantizer(key: str) -> bool:
    """Whether it is a buffer of a fake-quantizer or of its observer."""
    return split(key)[1].partition(".")[0] in PARTS


def is_switch(key: str) -> bool:
    return key.rpartition(".")[2] in SWITCHES


def generated(address: str) -> tuple[str, str, int] | None:
    """Owner, operator and number of a generated name; None for a name of the model."""
    found = _GENERATED.match(address)
    return (found["owner"], found["op"], int(found["number"])) if found else None
