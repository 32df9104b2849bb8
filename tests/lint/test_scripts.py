"""Python files are read as text: what counts as one model, what is not ours, what cannot be read."""

from pathlib import Path

import pytest

from qflow.cli import main
from qflow.lint._flow import flows
from qflow.lint._script import read
from tests.lint.pitfalls.by import script


def codes(text: str) -> list[str]:
    return [d.code for d in script(text)]


def test_a_model_keeps_its_symbol_under_every_name() -> None:
    text = "net = build()\nsame = net.to('cpu')\nother = prepare(net)\nnet = prepare(net)\nrun(same, other, net)\n"
    (flow,) = flows(read("x.py", text))
    built = next(e for e in flow if e.name == "build").result
    assert flow[-1].args[0] == built
    assert len(set(flow[-1].args)) == 3


def test_local_functions_are_entered_with_their_arguments() -> None:
    text = """
    def calibrate(net):
        set_fake_quantize(net, FakeQuantState.CALIBRATION)
        net.eval()

    calibrate(model)
    """
    assert codes(text) == ["QF704"]


def test_a_function_that_calls_itself_ends() -> None:
    assert codes("def f(x):\n    return f(x)\nf(1)\n") == []


def test_functions_of_torch_are_not_ours() -> None:
    text = """
    import torch
    model = prepare(net, x, march="nash-m")
    torch.onnx.export(model, x)
    """
    assert codes(text) == []


def test_a_file_without_quantization_has_no_findings() -> None:
    assert codes("import json\nfor line in open('x'):\n    print(json.loads(line))\n") == []


def test_spans_count_characters() -> None:
    (found,) = script("é = 1; yuv = rgb2gray(é)\n")
    assert found.at is not None
    assert (found.at.line, found.at.column, found.at.end_column) == (1, 14, 25)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_check_reads_a_script(
    line_end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "train.py"
    text = "raise SystemExit('this must not run')\nfrom f import rgb2gray\ny = rgb2gray(x)\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", line_end).encode())
    assert main(["check", str(path)]) == 0
    said = capsys.readouterr().out
    assert "QF719" in said
    assert "train.py:3:5" in said


@pytest.mark.parametrize(
    "text", ["def f(:\n", "x = (" + "(" * 5000, "x = " + "1 + " * 20000 + "1\n"]
)
def test_what_is_no_python(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    assert main(["check", str(path)]) == 2
    assert "QF105" in capsys.readouterr().out


def test_the_source_of_a_model_is_read_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Path(__file__).parent.parent / "cases" / "lint" / "nothing_to_say"
    for name in ("x.qf", "x.qf.lock"):
        (tmp_path / name).write_text((case / name).read_text())
    forward = "    def forward(self, x):\n        return x if self.training else self.head(x)\n"
    (tmp_path / "nets.py").write_text(f"raise SystemExit\nclass Net(Module):\n{forward}")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "x.qf"]) == 0
    said = capsys.readouterr().out
    assert "QF712" in said
    assert "nets.py:4:21" in said


def test_a_model_a_file_keeps_whole_may_branch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from qflow.compile.front import front
    from qflow.lint._files import model_source

    case = Path(__file__).parent.parent / "cases" / "lint" / "nothing_to_say"
    text = (
        (case / "x.qf")
        .read_text()
        .replace("quantize {", "graph { leaf type nets.Net }\nquantize {")
    )
    (tmp_path / "x.qf").write_text(text)
    (tmp_path / "x.qf.lock").write_text((case / "x.qf.lock").read_text())
    forward = "    def forward(self, x):\n        return x if self.training else self.head(x)\n"
    (tmp_path / "nets.py").write_text(f"class Net(Module):\n{forward}")
    monkeypatch.chdir(tmp_path)
    found = front(Path("x.qf"), {})
    assert found.unit is not None
    assert found.unit.graph.leaf_types == ("nets.Net",)
    assert model_source(Path("x.qf"), found.unit)[0] == ()
