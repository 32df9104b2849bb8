"""tflite and onnx_integer: what a plan alone tells, before any work."""

from __future__ import annotations

import pytest

from qflow.diagnostics import Diagnostic
from qflow.export.onnx_integer import OnnxInteger
from qflow.export.tflite import Tflite
from qflow.plan.plan import ExportPlan
from tests.export.test_onnx_legal import codes, plan


def check(
    march: str = "tflite", path: str = "model.tflite", **settings: object
) -> list[Diagnostic]:
    data = tuple(
        (k, tuple(sorted(v.items())) if isinstance(v, dict) else v)
        for k, v in sorted(settings.items())
    )
    return list(Tflite().check(ExportPlan("tflite", path, data), plan(march=march)))


def test_a_plan_of_litert_is_fine() -> None:
    assert (
        check(resolver="xnnpack", batch=8, layout={"image": "nchw"}, dtype={"image": "int8"}) == []
    )


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"resolver": "xnpack"}, "QF111"),
        ({"batch": 0}, "QF111"),
        ({"path": "model.onnx"}, "QF317"),
        ({"path": "../model.tflite"}, "QF317"),
        ({"layout": {"imag": "nhwc"}}, "QF110"),
        ({"dtype": {"image": "int16"}}, "QF501"),
        ({"march": "nash-m"}, "QF346"),
    ],
)
def test_what_is_refused(settings: dict, code: str) -> None:
    assert codes(check(**settings)) == [code]


@pytest.mark.parametrize(("opset", "found"), [(17, ["QF111"]), (18, []), (25, []), (26, ["QF111"])])
def test_opsets_of_the_exact_target(opset: int, found: list[str]) -> None:
    export = ExportPlan("onnx_integer", "model.onnx", (("opset", opset),))
    assert codes(list(OnnxInteger().check(export, plan()))) == found
