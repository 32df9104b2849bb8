"""What rules and `leaf` keep float, in a whole pipeline with training, of images of any size."""

from tests.engine.conftest import Project

GATE = """

class Gate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, x):
        return x * self.mix(x).sigmoid()


class Gated(Net):
    def __init__(self):
        super().__init__()
        self.gate = Gate(4)

    def forward(self, image):
        x = self.gate(self.relu(self.conv(self.quant(image))))
        return self.dequant(self.head(self.flatten(self.pool(x))))
"""


def test_float_and_leaf_in_a_pipeline(project: Project) -> None:
    project.replace("tiny/model.py", "\n\ndef net(", f"{GATE}\n\ndef net(")
    project.replace("tiny.qf", "tiny.model:net", "tiny.model:Gated")
    project.replace("tiny.qf", "\nquantize {", "\ngraph { leaf type Gate }\n\nquantize {")
    rules = '{ act.dtype = act }\n  match "conv" float\n  match op adaptive_avg_pool2d float'
    project.replace("tiny.qf", "{ act.dtype = act }", rules)
    project.replace("tiny.qf", "float32[N, 1, 4, 4]", "float32[N, 1, H, W]")
    text = project.program.read_text()
    project.program.write_text(text[: text.index("export onnx")])
    done = project.run()
    assert done.code == 0, done.text
    assert "finetune    epoch 1/1" in done.text
    summary = project.summary()
    # quant, what the flatten gives, the weight of the head
    assert "holds   3 of 3 scales" in done.text
    assert summary["oracle"]["mismatches"] == 0 < summary["oracle"]["integers"]
    floats = summary["integer"]["coverage"]["float"]
    assert {left["address"]: left["why"] for left in floats} == {
        "conv": "`float` in line 22",
        "relu": "`float` in line 22 (with conv)",
        "gate": "a `leaf` keeps it whole",
        "pool": "`float` in line 23",
    }
