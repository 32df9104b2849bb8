"""A convolution at the tail of a .qf pipeline: its accumulator leaves as int32, in the layout the model gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import qflow
from tests.engine.conftest import Project

onnx = pytest.importorskip("onnx")

MODEL = """
from torch import nn

from qflow.quantization import DeQuantStub, QuantStub


class Net(nn.Module):
    def __init__(self, tail):
        super().__init__()
        self.quant = QuantStub()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.head = nn.Conv2d(4, 3, 1)
        self.dequant = DeQuantStub()
        self.tail = tail

    def forward(self, image):
        x = self.dequant(self.head(self.relu(self.stem(self.quant(image)))))
        if self.tail == "permute":
            return x.permute(0, 2, 3, 1)
        if self.tail == "flatten":
            return x.permute(0, 2, 3, 1).flatten(1)
        if self.tail == "split":
            return x.reshape(-1, 4, 12)
        return x


def net(tail=""):
    return Net(tail)
"""

PROGRAM = """qflow 1

model tiny {
  entry  = "tiny.model:net"
  args   = {tail: "permute"}
  input  = {image: float32[N, 1, 4, 4]}
  output = {map: float32[N, 4, 4, 3]}
}

target board { march = "nash-m"; unlisted = error }

data calib { loader = "tiny.data:images"; samples = 16; batch = 4; seed = 3 }
data val   { loader = "tiny.data:images"; batch = 8 }

quantize { default use w8a8 }

schedule {
  stage calibrate on calib { state "**" = calibration }
  stage evaluate on val    { state "**" = validation }
}

check {
  assert exact(emulator, oracle) == true on val
  assert exact(emulator, export.onnx) == true on val
}

export onnx "tiny.onnx" { opset = 21; dtype = {image: float32, map: int32} }
"""


@pytest.fixture
def tail(project: Project) -> Project:
    images = "\n\ndef images():\n    return [image for image, _ in samples(16)]\n"
    project.write("tiny/data.py", (project.folder / "tiny/data.py").read_text() + images)
    project.write("tiny/model.py", MODEL)
    project.write("tiny.qf", PROGRAM)
    return project


def test_nhwc_behind_the_dequantize(tail: Project) -> None:
    outcome = tail.run()
    assert outcome.code == 0, outcome.text
    found = tail.summary()
    assert found["oracle"]["mismatches"] == 0
    assert "QF505" not in outcome.text
    file = sorted(tail.out.rglob("logical.safetensors"))[0]
    port = qflow.load(file).outputs[0]
    assert (port.name, port.dtype, port.axis, port.layout) == ("map", "int32", 3, "nhwc")
    assert port.shape[1:] == (4, 4, 3)
    device = sorted(tail.out.rglob("integer.safetensors"))[0]
    graph = qflow.load(device).graph
    # one transpose at the input, and none between the convolution and the output
    assert [n.id for n in graph.nodes if n.op == "permute"] == ["quant.nhwc"]


def test_the_exported_file_gives_the_same_integers(tail: Project) -> None:
    pytest.importorskip("onnxruntime")
    assert tail.run().code == 0
    file = tail.out / "export/tiny.onnx"
    image = np.random.default_rng(1).standard_normal((64, 1, 4, 4), np.float32) * 2
    wanted = computed(constants_of(file), image)
    for entry in ("session.x64quantprecision", "session.qdqisint8allowed", ""):
        (theirs,) = session(file, entry).run(["map"], {"image": image})
        assert theirs.dtype == np.int32
        assert theirs.shape == (64, 4, 4, 3)
        np.testing.assert_array_equal(theirs, wanted)
    # ours differ where a multiplier of 15 bits is another number than a float32: by single steps
    model = qflow.load(sorted(tail.out.rglob("logical.safetensors"))[0])
    ours = model.run_integer(torch.from_numpy(image)).numpy()
    weight = constants_of(file)["head.weight"].astype(np.int64)
    assert (abs(ours - wanted) <= abs(weight).sum(axis=(1, 2, 3))).all()
    assert (ours == wanted).mean() > 0.9


def test_a_session_without_settings_saturates_where_a_processor_has_no_vnni(
    tmp_path: Path,
) -> None:
    """Why sessions are opened with a setting: here the runtime is wrong, and not the file.

    onnxruntime turns int8 into uint8 by adding 128 and multiplies by int8 weights in pairs; before
    VNNI the sum of a pair is an int16: 2 * 255 * 127 = 64770 becomes 32767.
    """
    pytest.importorskip("onnxruntime")
    file = tmp_path / "pair.onnx"
    onnx.save(pair_of_products(), file)
    image = np.full((1, 2, 1, 1), 127.0, np.float32)
    exact, saturated = (512 * round(a / 512) for a in (2 * 127 * 127, 32767 - 128 * 2 * 127))
    for entry in ("session.x64quantprecision", "session.qdqisint8allowed", ""):
        (found,) = session(file, entry).run(None, {"x": image})
        assert found.item() == exact
    (found,) = session(file, None).run(None, {"x": image})
    assert found.item() in (exact, saturated)


def session(file: Path, entry: str | None) -> Any:
    """An onnxruntime session with one setting; "" fuses nothing, None is how a user opens it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if entry:
        options.add_session_config_entry(entry, "1")
    if entry == "":
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def constants_of(file: Path) -> dict[str, np.ndarray]:
    initializers = onnx.load(file).graph.initializer
    return {i.name: onnx.numpy_helper.to_array(i) for i in initializers}


def computed(given: dict[str, np.ndarray], image: np.ndarray) -> np.ndarray:
    """The tail of the file's own constants, as the runtime's integer kernels have it."""
    x = np.clip(np.rint(image / given["quant/scale"]), -128, 127).astype(np.int64)
    padded = np.pad(x[:, 0], ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    weight = given["stem.weight"][:, 0].astype(np.int64)
    total = np.einsum("nhwij,cij->nhwc", windows, weight) + given["stem.bias"]
    scale = given["quant/scale"] * given["stem.weight/scale"] / given["stem/product/scale"]
    stem = np.clip(np.rint(total.astype(np.float32) * scale), 0, 127).astype(np.int64)
    head = given["head.weight"][:, :, 0, 0].astype(np.int64)
    return stem @ head.T + given["head.bias"].ravel()


def pair_of_products() -> Any:
    return onnx.parser.parse_model(
        """<ir_version: 10, opset_import: ["": 21]>
        pair (float[1, 2, 1, 1] x) => (float[1, 1, 1, 1] y)
        <float one = {1.0}, float wide = {512.0}, int8 zero = {0},
         int8[1, 2, 1, 1] w = {127, 127}> {
          q = QuantizeLinear(x, one, zero)
          real = DequantizeLinear(q, one, zero)
          weight = DequantizeLinear(w, one, zero)
          product = Conv(real, weight)
          rounded = QuantizeLinear(product, wide, zero)
          y = DequantizeLinear(rounded, wide, zero)
        }"""
    )


def test_flat_outputs_have_a_scale_per_value(tail: Project) -> None:
    tail.replace("tiny.qf", 'tail: "permute"', 'tail: "flatten"')
    tail.replace("tiny.qf", "float32[N, 4, 4, 3]", "float32[N, 48]")
    tail.replace("tiny.qf", "map: int32", "map: float32")
    tail.replace("tiny.qf", "  assert exact(emulator, export.onnx) == true on val\n", "")
    outcome = tail.run()
    assert outcome.code == 0, outcome.text
    file = sorted(tail.out.rglob("logical.safetensors"))[0]
    port = qflow.load(file).outputs[0]
    assert (port.dtype, port.axis, port.scale.shape) == ("int32", 1, (48,))
    assert np.array_equal(port.scale, np.tile(port.scale[:3], 16))


def test_channels_that_are_split_have_no_axis(tail: Project) -> None:
    tail.replace("tiny.qf", 'tail: "permute"', 'tail: "split"')
    tail.replace("tiny.qf", "float32[N, 4, 4, 3]", "float32[N, 4, 12]")
    outcome = tail.run()
    assert outcome.code == 3
    assert "splits the channels" in outcome.text


@pytest.mark.parametrize(("second", "holds"), [("side", True), ("relu", False)])
def test_heads_that_share_a_dequantize(tail: Project, second: str, holds: bool) -> None:
    """Each keeps its accumulator where it can; a claim speaks of all that pass the stub."""
    forward = MODEL.index("        x = self.dequant(")
    body = f"""        x = self.relu(self.stem(self.quant(image)))
        return self.dequant(self.head(x)), self.dequant(self.{second}(x))


def net(tail=""):
    return Net(tail)
"""
    layer = "        self.side = nn.Conv2d(4, 4, 1)\n        self.tail = tail"
    model = MODEL[:forward] + body
    tail.write("tiny/model.py", model.replace("        self.tail = tail", layer))
    ports = "{map: float32[N, 3, 4, 4], more: float32[N, 4, 4, 4]}"
    tail.replace("tiny.qf", "{map: float32[N, 4, 4, 3]}", ports)
    tail.replace("tiny.qf", "map: int32}", "map: int32, more: float32}")
    # an accumulator that leaves as floats is a float convolution in the file
    tail.replace("tiny.qf", "  assert exact(emulator, export.onnx) == true on val\n", "")
    tail.replace("tiny.qf", "check {", "check {\n  warn output.more is int32")
    outcome = tail.run()
    assert outcome.code == 0, outcome.text
    assert ("does not hold" not in outcome.text) == holds
    file = sorted(tail.out.rglob("logical.safetensors"))[0]
    dtypes = ["int32", "int32" if holds else "int8"]
    assert [port.dtype for port in qflow.load(file).outputs] == dtypes
