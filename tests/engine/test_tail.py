"""A convolution at the tail of a .qf pipeline: its accumulator leaves as int32, in the layout the model gives."""

import numpy as np
import pytest

import qflow
from tests.engine.conftest import Project

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
    onnxruntime = pytest.importorskip("onnxruntime")
    assert tail.run().code == 0
    file = sorted(tail.out.rglob("logical.safetensors"))[0]
    model = qflow.load(file)
    session = onnxruntime.InferenceSession(tail.out / "export/tiny.onnx")
    import torch

    image = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    (theirs,) = session.run(["map"], {"image": image.numpy()})
    assert theirs.dtype == np.int32
    ours = model.run_integer(image).numpy()
    assert theirs.shape == ours.shape == (5, 4, 4, 3)
    # the runtime's int8 kernels may saturate where ours do not: `exact` of the run says how it rounds
    assert (theirs == ours).mean() > 0.95


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
