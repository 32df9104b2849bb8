"""In which dtype the integers of a node go to the next one."""

from __future__ import annotations

from typing import Any

import torch

from qflow.emulation.op import BYTES, Call


def between(call: Call, device: Any) -> torch.dtype:
    """Of 8 bits in their own dtype on the CPU: a quarter of the memory, which costs most there."""
    narrow = device.type == "cpu" and call.node.output.dtype in BYTES
    return getattr(torch, call.node.output.dtype) if narrow else torch.float32
