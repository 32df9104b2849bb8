"""onnx_file: an ONNX file as a checked model with its tensors, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qflow.diagnostics import Diagnostic, fail
from qflow.frontends.onnx_values import Constant, Node
from qflow.frontends.refusing import damaged, distrusted, one_line, unknown, unreadable

_LARGEST_CHECKED = 1 << 30
"""Bytes up to which the checker is asked: it packs the model once more."""
_OLDEST = 9


def read_model(path: Path, shown: str) -> Any:
    """The model, its functions written out, its tensors inside.

    Raises QflowError: QF302, QF362 for what the checker refuses, QF363 for tensors that lie outside
    of the file's folder, QF405 without the package onnx.
    """
    try:
        import onnx
        import onnx.inliner
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise _missing() from error
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(shown, error) from error
    try:
        model = onnx.load_model_from_string(raw)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise damaged(shown, f"it is no ONNX file: {error}") from error
    if not all(isinstance(text, str) for text in _texts(model)):
        raise damaged(shown, "a name in it is no text")
    _inside(model, path.parent, shown)
    try:
        if len(raw) <= _LARGEST_CHECKED:
            onnx.checker.check_model(model)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [""]
        raise damaged(shown, f"the checker of onnx says: {lines[0]}") from error
    _refuse_domains(model, shown)
    return model


def _texts(model: Any) -> Iterator[object]:
    """Every name; one that is no UTF-8 comes as bytes."""
    graph = model.graph
    yield from (e.domain for e in model.opset_import)
    for tensor in graph.initializer:
        yield tensor.name
        yield from (text for e in tensor.external_data for text in (e.key, e.value))
    for value in (*graph.input, *graph.output, *graph.value_info):
        yield value.name
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (a.name for a in node.attribute)
        yield from (text for p in node.metadata_props for text in (p.key, p.value))


def _missing() -> Exception:
    return fail(
        Diagnostic(
            "QF405",
            "reading an ONNX file needs the package onnx",
            help="pip install 'qflow[onnx]'",
        )
    )


def _refuse_domains(model: Any, shown: str) -> None:
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version < _OLDEST:
            raise damaged(shown, f"its operators are of opset {entry.version}, before {_OLDEST}")
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx"):
            where = f"is of the domain `{one_line(node.domain)}`, which only its own runtime knows"
            raise unknown(shown, f"{node.op_type} {node.name}", where)


def _inside(model: Any, folder: Path, shown: str) -> None:
    """Fetch the tensors that lie in files beside the model."""
    from onnx import TensorProto

    for tensor in model.graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        said = {e.key: e.value for e in tensor.external_data}
        tensor.raw_data = _fetched(said, folder, tensor.name, shown)
        tensor.ClearField("external_data")
        tensor.data_location = TensorProto.DEFAULT


def _fetched(said: Mapping[str, str], folder: Path, name: str, shown: str) -> bytes:
    location = said.get("location", "")
    place = (folder / location).resolve()
    if not location or "\0" in location or not place.is_relative_to(folder.resolve()):
        raise distrusted(
            shown,
            f"its tensor `{name}` lies at `{location}`, outside of the folder of the file",
            "save the model with its tensors in files beside it",
        )
    try:
        offset, length = int(said.get("offset", 0)), int(said.get("length", -1))
        size = place.stat().st_size
        length = size - offset if length < 0 else length
        if offset < 0 or offset + length > size:
            raise damaged(shown, f"`{location}` is too short for its tensor `{name}`")
        with place.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    except ValueError as error:
        raise damaged(shown, f"where its tensor `{name}` lies cannot be read") from error
    except OSError as error:
        reason = error.strerror or error
        raise damaged(shown, f"`{location}` with its tensor `{name}`: {reason}") from error


def constants(model: Any, shown: str) -> dict[str, Constant]:
    """Every tensor of the file by name. Raises QflowError QF362."""
    return {t.name: Constant(t.name, array_of(t, shown)) for t in model.graph.initializer}


def array_of(tensor: Any, shown: str) -> np.ndarray:
    """The values of a tensor. Raises QflowError QF362."""
    from onnx import numpy_helper

    try:
        found = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, LookupError, RuntimeError, OverflowError, MemoryError) as error:
        raise damaged(shown, f"its tensor `{tensor.name}` cannot be read: {error}") from error
    if found.dtype.kind not in "biuf":
        raise damaged(shown, f"its tensor `{tensor.name}` is of the dtype {found.dtype}")
    # an array of its own, in the byte order of this machine
    return np.array(found, dtype=found.dtype.newbyteorder("="))


def nodes(model: Any, shown: str) -> tuple[Node, ...]:
    """The operators in the order of the file. Raises QflowError QF362."""
    return tuple(_node(n, shown) for n in model.graph.node)


def _node(node: Any, shown: str) -> Node:
    from onnx import AttributeProto, helper

    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            attributes[attribute.name] = array_of(attribute.t, shown)
            continue
        if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
            attributes[attribute.name] = None
            continue
        try:
            value = helper.get_attribute_value(attribute)
        except (ValueError, TypeError) as error:
            what = f"the attribute `{attribute.name}` of {node.name}"
            raise damaged(shown, f"{what} cannot be read") from error
        attributes[attribute.name] = _plain(value)
    metadata = {p.key: p.value for p in node.metadata_props}
    return Node(
        node.op_type, node.name, tuple(node.input), tuple(node.output), attributes, metadata
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, (str, int, float)):
        return value
    return [_plain(v) for v in value] if hasattr(value, "__iter__") else None
