"""tensorrt_cache: the bits of every scale, what a cache has no place for, what is said of it."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from qflow.export._tables.rows import Row
from qflow.export._tensorrt.cache import number, render
from qflow.export.tensorrt_cache import TensorrtCache
from qflow.quantization import record
from tests.export.finished import exported, prepared
from tests.export.plans import with_exports

MARCH = "bm1684x"


def entries(text: str) -> dict[str, np.float32]:
    """As TensorRT reads it."""
    header, *lines = text.removesuffix("\n").split("\n")
    assert header.startswith("TRT-")
    found = {}
    for line in lines:
        name, bits = line.rsplit(": ", 1)
        assert len(bits) == 8
        found[name] = np.float32(struct.unpack(">f", bytes.fromhex(bits))[0])
    return found


def test_a_cache_of_digits() -> None:
    path = exported("tensorrt_cache", "digits", MARCH)
    notes = (path.parent / "notes").read_text()
    text = path.read_text()
    assert text.startswith("TRT-100000-EntropyCalibration2\n")
    found = entries(text)
    names = json.loads(path.with_suffix(".names.json").read_text())
    model, _ = prepared("digits", MARCH)
    grids = {n.id: n.grid.scale[0] for n in record(model).nodes if n.grid is not None}
    assert {names["tensors"][a]["tensor"]: s for a, s in grids.items()} == found
    left = {(m["address"], m["what"]) for m in names["not_exported"]}
    assert ("stem.conv.weight", "weight") in left
    assert notes == "not exported: 7 weights, 7 biases; see net.names.json"


def test_the_form_of_a_line() -> None:
    row = Row("a", "a b", "activation", "int8", np.array([0.0078431377], np.float32), None)
    assert render([row], "10.3.0", "MinMaxCalibration") == (
        "TRT-100300-MinMaxCalibration\na b: 3c008081\n"
    )


@pytest.mark.parametrize(
    ("version", "expected"),
    [("10.14.1", 101401), ("8.6.1", 8601), ("7.1.3", 7103), ("8.4", 8400), ("10", 100000)],
)
def test_versions_count_as_tensorrt_does(version: str, expected: int) -> None:
    assert number(version) == str(expected)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((("version", "ten"),), "QF111"),
        ((("calibrator", "Percentile"),), "QF111"),
        ((("dtype", (("image", "int8"),)),), "QF112"),
    ],
)
def test_what_a_block_may_not_ask(given: tuple, code: str) -> None:
    plan = with_exports(("tensorrt_cache", "net.cache", given))
    assert [d.code for d in TensorrtCache().check(plan.exports[0], plan)] == [code]


def test_int16_is_said_before_any_work() -> None:
    plan = with_exports(("tensorrt_cache", "net.cache", ()), dtype="int16")
    (found,) = TensorrtCache().check(plan.exports[0], plan)
    assert (found.code, found.severity) == ("QF338", "warning")
    assert "`quant`" in found.message
