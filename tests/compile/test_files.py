"""Models and data that are files, as the program says it: fields, their types, what goes together."""

from pathlib import Path

import pytest

from qflow import compile as compiler
from qflow import lang
from qflow.compile.unit import Unit
from qflow.plan.sources import Draw, Preprocess

FRAME = """qflow 1

model net {{
  {model}
  input  = {{image: float32[N, 3, 8, 8]}}
  output = {{logits: float32[N, 10]}}
}}

target board {{ march = "nash-m" }}
data calib {{ {data} }}
quantize {{ default use w8a8 }}
schedule {{ stage calibrate on calib {{ state "**" = calibration }} }}
"""
ENTRY, LOADER = 'entry = "a:b"', 'loader = "a:b"'


def outline(folder: Path, model: str = ENTRY, data: str = LOADER) -> Unit:
    path = folder / "x.qf"
    path.write_text(FRAME.format(model=model, data=data))
    return compiler.outline(lang.load(path), {})


def codes(folder: Path, model: str = ENTRY, data: str = LOADER) -> list[str]:
    return [d.code for d in outline(folder, model, data).diagnostics if d.severity == "error"]


def test_a_model_out_of_a_file(tmp_path: Path) -> None:
    text = 'file = "a/net.ONNX"; seed = 3; tolerance = 1e-3; example = {image: {range: [-1, 1]}}'
    found = outline(tmp_path, text)
    assert not found.diagnostics
    assert found.model is not None
    assert (found.model.file, found.model.entry, found.model.source) == (
        "a/net.ONNX",
        "",
        "a/net.ONNX",
    )
    assert (found.model.seed, found.model.tolerance) == (3, 1e-3)
    assert found.model.draws == (Draw("image", "uniform", -1.0, 1.0),)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("", ["QF115"]),
        ('file = "net.onnx"; entry = "a:b"', ["QF360"]),
        ('file = "net.onnx"; args = {classes: 3}', ["QF360"]),
        ('file = "net.tflite"', ["QF361"]),
        ("file = 3", ["QF113"]),
        ('fiel = "net.onnx"', ["QF112"]),
        (f"{ENTRY}; example = {{imge: {{range: [0, 1]}}}}", ["QF110"]),
        (f"{ENTRY}; example = {{image: 3}}", ["QF113"]),
        (f"{ENTRY}; example = {{image: {{range: [1, 0]}}}}", ["QF111"]),
        (f"{ENTRY}; example = {{image: {{distribution: uniform}}}}", ["QF369"]),
        (f"{ENTRY}; example = {{image: {{distribution: zeros; std: 1}}}}".replace("; std", ", std"), ["QF369"]),
        (f"{ENTRY}; example = {{image: {{distribution: even}}}}", ["QF110"]),
        (f"{ENTRY}; example = {{image: {{std: -1}}}}", ["QF111"]),
        (f"{ENTRY}; tolerance = -1", ["QF111"]),
    ],
)  # fmt: skip
def test_a_model_that_is_not_one(tmp_path: Path, model: str, expected: list[str]) -> None:
    assert codes(tmp_path, model) == expected


def test_data_out_of_a_file(tmp_path: Path) -> None:
    text = 'source = "p/"; keys = {target: "y"}; preprocess = {resize: 256, crop: [4, 8], format: nv12, swing: studio, mean: [1, 2, 3], scale: 0.5, filter: bicubic, layout: hwc}'
    found = outline(tmp_path, data=text)
    assert not found.diagnostics
    (spec,) = found.data
    assert (spec.source, spec.loader, spec.keys) == ("p/", "", (("target", "y"),))
    wanted = Preprocess((256,), "bicubic", (4, 8), "nv12", "studio", (1, 2, 3), (0.5,), "hwc")
    assert spec.preprocess == wanted
    # as ever: the argument of a loader
    (spec,) = outline(tmp_path, data=f'{LOADER}; source = "a.txt"').data
    assert (spec.source, spec.args) == ("", (("source", "a.txt"),))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("samples = 3", ["QF115"]),
        ('source = "a.npz"; args = {x: 1}', ["QF370"]),
        (f'{LOADER}; keys = {{image: "x"}}', ["QF370"]),
        (f"{LOADER}; preprocess = {{resize: 3}}", ["QF370"]),
        ('source = "a.npz"; keys = {image: 3}', ["QF111"]),
        ('source = "p"; preprocess = {resize: 0}', ["QF111"]),
        ('source = "p"; preprocess = {crop: [1, 2, 3]}', ["QF111"]),
        ('source = "p"; preprocess = {mean: [1, 2]}', ["QF111"]),
        ('source = "p"; preprocess = {format: yuv420}', ["QF110"]),
        ('source = "p"; preprocess = {rezise: 3}', ["QF112"]),
        ('loder = "a:b"', ["QF112"]),
    ],
)
def test_data_that_is_none(tmp_path: Path, data: str, expected: list[str]) -> None:
    assert codes(tmp_path, data=data) == expected


def test_a_file_changes_the_trace_and_nothing_else_does(tmp_path: Path) -> None:
    def traced(model: str) -> str:
        unit = outline(tmp_path, model)
        assert unit.model is not None
        return compiler.traced(unit.model, unit.graph)

    assert traced('file = "a.onnx"') != traced('file = "b.onnx"')
    assert traced(ENTRY) != traced('file = "a.onnx"')
    # a symbolic trace does not look at values, and a tolerance is no part of a model
    assert traced(ENTRY) == traced(
        f"{ENTRY}; example = {{image: {{range: [0, 1]}}}}; tolerance = 1"
    )
    looks = f"{ENTRY}; trace = example"
    assert traced(looks) != traced(f"{looks}; example = {{image: {{range: [0, 1]}}}}")


def test_a_plan_with_files_is_read_back(tmp_path: Path) -> None:
    from qflow.plan import json as plan_json
    from qflow.plan import reader
    from tests.compile.models import of_entry

    path = tmp_path / "x.qf"
    model = 'file = "net.onnx"; example = {image: {range: [-1, 1]}}'
    data = 'source = "p"; keys = {target: "y"}; preprocess = {resize: 8, mean: [1, 2, 3]}'
    path.write_text(FRAME.format(model=model, data=data).replace("float32[N, 3", "float32[N, 1"))
    found = compiler.compile(lang.load(path), of_entry("nets:digits"), {})
    assert found.plan is not None, found.diagnostics
    again = reader.loads(plan_json.dumps(found.plan))
    assert again.model.draws == (Draw("image", "uniform", -1.0, 1.0),)
    (wanted,), (read,) = found.plan.data, again.data
    assert (read.source, read.keys, read.preprocess) == ("p", (("target", "y"),), wanted.preprocess)
