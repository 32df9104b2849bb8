"""pools: pooling of ONNX, over images."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_ops.windows import Window, padded, window
from qflow.frontends.onnx_values import Node


def _max(read: Reader, node: Node) -> Value:
    found = _window(read, node)
    rank = len(found.kernel)
    if found.pads[:rank] != found.pads[rank:] or len(node.outputs) > 1:
        raise Unknown("pads its sides differently, or returns where the largest values lie")
    settings = _settings(found, found.pads[:rank], node)
    if any(n != 1 for n in found.dilation):
        settings["dilation"] = found.dilation
    return read.add(_of(node, "max_pool", rank), read.tensor(node, 0), **settings)


def _average(read: Reader, node: Node) -> Value:
    found = _window(read, node)
    rank = len(found.kernel)
    counted = bool(node.attributes.get("count_include_pad", 0))
    begin, end = found.pads[:rank], found.pads[rank:]
    if (begin != end and not counted) or any(n != 1 for n in found.dilation):
        raise Unknown("pads its sides differently")
    x, pads = padded(read, node, found, 0.0)
    settings = _settings(found, pads, node)
    if not counted and any(pads):
        settings["count_include_pad"] = False
    return read.add(_of(node, "avg_pool", rank), x, **settings)


def _window(read: Reader, node: Node) -> Window:
    return window(read, node, node.attributes.get("kernel_shape") or ())


def _of(node: Node, word: str, rank: int) -> Any:
    if rank not in (1, 2, 3):
        raise Unknown(f"pools over {rank} dimensions")
    return getattr(functional, f"{word}{rank}d")


def _settings(found: Window, pads: tuple[int, ...], node: Node) -> dict[str, Any]:
    settings: dict[str, Any] = {"kernel_size": found.kernel, "stride": found.stride}
    if any(pads):
        settings["padding"] = pads
    if node.attributes.get("ceil_mode", 0):
        settings["ceil_mode"] = True
    return settings


def _global_average(read: Reader, node: Node) -> Value:
    rank = read.rank(node)
    if rank == 4:
        return read.add(functional.adaptive_avg_pool2d, read.tensor(node, 0), output_size=(1, 1))
    return read.add(torch.mean, read.tensor(node, 0), tuple(range(2, rank)), True)


def _global_max(read: Reader, node: Node) -> Value:
    dims = tuple(range(2, read.rank(node)))
    return read.add(torch.amax, read.tensor(node, 0), dims, True)


OPS = {
    "MaxPool": _max,
    "AveragePool": _average,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_max,
}
