"""resizing: functions of ONNX that make images larger or smaller."""

from __future__ import annotations

from typing import Any

from torch.nn import functional

from qflow.frontends.aten import Unknown
from qflow.frontends.imported import Value
from qflow.frontends.onnx_graph import Reader
from qflow.frontends.onnx_values import Node

_MODES = {"nearest": "nearest", "linear": "bilinear"}
_HALF = ("half_pixel", "pytorch_half_pixel")


def _resize(read: Reader, node: Node) -> Value:
    said = node.attributes
    where = said.get("coordinate_transformation_mode", "half_pixel")
    mode = _MODES.get(said.get("mode", "nearest"))
    plain = not said.get("antialias") and not said.get("axes") and not said.get("exclude_outside")
    if mode is None or not plain or where not in (*_HALF, "align_corners", "asymmetric"):
        raise Unknown(f"resizes by `{said.get('mode', 'nearest')}` and `{where}`")
    if mode != "nearest" and where == "asymmetric":
        raise Unknown("resizes linearly from the corner, as torch never does")
    given: dict[str, Any] = {"mode": mode}
    sizes = read.numbers(node, 3) if read.given(node, 3) else None
    if sizes is not None:
        given["size"] = tuple(sizes[2:])
    else:
        given["scale_factor"] = _scales(read, node, 1 if read.opset < 11 else 2)
    if mode != "nearest":
        given["align_corners"] = where == "align_corners"
    return read.add(functional.interpolate, read.tensor(node, 0), **given)


def _scales(read: Reader, node: Node, index: int) -> tuple[float, ...]:
    if not read.given(node, index):
        raise Unknown("says no size")
    scales = [float(v) for v in read.constant(node, index).reshape(-1)]
    if len(scales) != 4 or scales[:2] != [1.0, 1.0]:
        raise Unknown("resizes something else than the height and width of images")
    return tuple(scales[2:])


def _upsample(read: Reader, node: Node) -> Value:
    if read.opset < 9 or node.attributes.get("mode", "nearest") != "nearest":
        raise Unknown("is of an old form: export with opset 11 or later")
    scales = _scales(read, node, 1)
    return read.add(
        functional.interpolate, read.tensor(node, 0), mode="nearest", scale_factor=scales
    )


def _depth_to_space(read: Reader, node: Node) -> Value:
    if node.attributes.get("mode", "DCR") != "CRD":
        raise Unknown("takes depth before columns, which torch's pixel shuffle does not")
    block = node.attributes["blocksize"]
    return read.add(functional.pixel_shuffle, read.tensor(node, 0), upscale_factor=block)


OPS = {"Resize": _resize, "Upsample": _upsample, "DepthToSpace": _depth_to_space}
