"""What an export block may ask of a plan: every refusal with its id, found without torch or onnx."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest

from qflow.compile import compile
from qflow.diagnostics import Diagnostic
from qflow.export.onnx import Onnx
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from qflow.plan.plan import ExportPlan, Plan
from tests.compile.models import of_entry

PROGRAM = """
qflow 1
model net {{
  entry  = "nets:{entry}"
  input  = {{image: float32[N, 1, 8, 8]}}
  output = {outputs}
}}
target board {{ march = "{march}" }}
data calib {{ loader = "nets.data:calibration"; samples = 8 }}
qconfig wide {{
  act.dtype = {act}; act.scheme = per_tensor; act.observer = min_max
  weight.dtype = int8; weight.scheme = per_channel; weight.observer = min_max
}}
quantize {{ default use wide }}
schedule {{
  stage calibrate on calib {{ state "**" = calibration }}
}}
"""


@cache
def plan(entry: str = "digits", act: str = "int8", march: str = "generic") -> Plan:
    ports = ["logits", "sum"] if entry == "two_heads" else ["logits"]
    outputs = "{" + ", ".join(f"{p}: float32[N, 10]" for p in ports) + "}"
    text = PROGRAM.format(entry=entry, act=act, march=march, outputs=outputs).lstrip()
    parsed = parse(text, "x.qf")
    assert parsed.file is not None, parsed.diagnostics
    compiled = compile(program_of(parsed.file), of_entry(f"nets:{entry}"), {})
    assert compiled.plan is not None, compiled.diagnostics
    return compiled.plan


def check(whole: Plan, path: str = "model.onnx", **settings: object) -> list[Diagnostic]:
    data = tuple(
        (k, tuple(sorted(v.items())) if isinstance(v, dict) else v)
        for k, v in sorted(settings.items())
    )
    return list(Onnx().check(ExportPlan("onnx", path, data), whole))


def codes(found: list[Diagnostic]) -> list[str]:
    return [d.code for d in found]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"opset": 13},
        {"layout": {"image": "nhwc"}},
        {"dtype": {"image": "float32", "logits": "float32"}},
        {"dtype": {"image": "int8", "logits": "int32"}},
    ],
)
def test_what_is_legal(settings: dict) -> None:
    assert check(plan(), **settings) == []


def test_int16_needs_opset_21() -> None:
    (found,) = check(plan(act="int16"), opset=20)
    assert found.code == "QF501"
    assert "opset 20 has no int16" in found.message
    assert found.help == "write `opset = 21`"
    assert check(plan(act="int16"), opset=21) == []


@pytest.mark.parametrize("opset", [0, 12, 26])
def test_an_opset_nobody_has(opset: int) -> None:
    assert codes(check(plan(), opset=opset)) == ["QF111"]


@pytest.mark.parametrize("field", ["layout", "dtype"])
def test_an_unknown_name_is_compared_with_the_known(field: str) -> None:
    (found,) = check(plan(), **{field: {"logit": "nchw" if field == "layout" else "float32"}})
    assert found.code == "QF110"
    assert found.notes == ("the nearest: `logits`",)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/tmp/model.onnx", "leaves"),
        ("../model.onnx", "leaves"),
        ("a/../../model.onnx", "leaves"),
        ("..\\model.onnx", "leaves"),
        ("C:\\model.onnx", "leaves"),
        ("model.tflite", "does not end"),
        ("model", "does not end"),
    ],
)
def test_a_path_stays_inside_and_says_what_it_is(path: str, why: str) -> None:
    (found,) = check(plan(), path=path)
    assert found.code == "QF317"
    assert why in found.message


def test_a_tensor_of_two_dimensions_has_no_layout() -> None:
    (found,) = check(plan(), layout={"logits": "nhwc"})
    assert found.code == "QF503"
    assert "2 dimensions" in found.message


@pytest.mark.parametrize(
    ("dtype", "offered"),
    [
        ({"image": "int16"}, "`float32` or `int8`"),
        ({"image": "int32"}, "`float32` or `int8`"),
        ({"logits": "int8"}, "`float32` or `int32`"),
        ({"logits": "uint8"}, "`float32` or `int32`"),
    ],
)
def test_a_dtype_is_that_of_the_tensor(dtype: dict, offered: str) -> None:
    (found,) = check(plan(), dtype=dtype)
    assert found.code == "QF501"
    assert offered in found.message


def test_a_quantized_tail_is_offered_as_it_is() -> None:
    assert check(plan("concatenated"), dtype={"logits": "int8"}) == []
    assert codes(check(plan("concatenated"), dtype={"logits": "int32"})) == ["QF501"]


def test_the_accumulator_of_an_int16_convolution_is_refused() -> None:
    (found,) = check(plan("plain", act="int16"), dtype={"logits": "int32"})
    assert found.code == "QF501"
    assert "no int16 convolution" in found.message
    assert check(plan("plain"), dtype={"logits": "int32"}) == []
    assert check(plan(act="int16"), dtype={"logits": "int32"}) == []


def test_checking_needs_neither_torch_nor_onnx() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'onnxruntime'): sys.modules[name] = None\n"
        "from qflow import registry\n"
        "registry.load('export', 'onnx')().check\n"
        "registry.load('export', 'onnx_integer')().check\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
