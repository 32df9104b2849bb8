"""qflow.nn: every module computes its function, is known to the trace, and can be pickled."""

import pickle

import pytest
import torch
from torch import nn

import qflow.nn as qnn
from qflow import functional
from qflow.diagnostics import QflowError
from qflow.nn.functions import _BINARY, _UNARY
from qflow.nn.quantized import FloatFunctional
from qflow.quantization import DeQuantStub, QuantStub
from qflow.tracing import operators
from qflow.tracing.traced import trace_call

X = torch.linspace(0.1, 0.9, 24).reshape(1, 2, 3, 4)
Y = X.flip(1) + 0.5


@pytest.mark.parametrize("name", _UNARY)
def test_functions_of_one_tensor(name: str) -> None:
    cls = qnn.MODULES[name]
    module = getattr(qnn, name)()
    assert (cls.__name__, cls.__module__) == (name, "qflow.nn")
    assert cls.__doc__.endswith(".")
    wanted = getattr(torch, {"HardLog": "log"}.get(name, name.lower()))
    x = X + 1 if name == "Acosh" else X
    assert torch.equal(module(x), wanted(x))
    assert type(pickle.loads(pickle.dumps(module))) is cls
    assert operators.of_module(module).name == {"HardLog": "log"}.get(name, name.lower())


@pytest.mark.parametrize("name", _BINARY)
@pytest.mark.parametrize("other", [Y, 2.0])
def test_functions_of_two_operands(name: str, other: torch.Tensor | float) -> None:
    assert torch.equal(getattr(qnn, name)()(X, other), getattr(torch, name.lower())(X, other))


def test_interpolate() -> None:
    module = qnn.Interpolate(scale_factor=2, mode="bilinear", align_corners=False)
    wanted = nn.functional.interpolate(X, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.equal(module(X), wanted)
    assert qnn.Interpolate(size=5)(X).shape == (1, 2, 5, 5)
    assert "bilinear" in repr(module)


def test_a_module_is_one_call_of_the_graph() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.exp, self.up, self.div = qnn.Exp(), qnn.Interpolate(scale_factor=2), qnn.Div()

        def forward(self, x):
            return self.dequant(self.div(self.up(self.exp(self.quant(x))), 2.0))

    modules = trace_call(Net(), (X,)).inventory.by_address
    assert modules["exp"].op == "exp"
    assert modules["up"].op == "upsample"
    assert [m.op for a, m in modules.items() if a.startswith("div")] == ["div"]


METHODS = {
    "add": ((X, Y), X + Y),
    "add_scalar": ((X, 2.0), X + 2),
    "sub": ((X, Y), X - Y),
    "mul": ((X, Y), X * Y),
    "mul_scalar": ((X, 3.0), X * 3),
    "cat": (([X, Y], 1), torch.cat([X, Y], 1)),
    "matmul": ((X, Y.mT), X @ Y.mT),
    "mean": ((X, 2), X.mean(2)),
    "sum": ((X, (2, 3), True), X.sum((2, 3), True)),
    "maximum": ((X, Y), torch.maximum(X, Y)),
    "minimum": ((X, Y), torch.minimum(X, Y)),
    "add_relu": ((X, -Y), torch.relu(X - Y)),
}


@pytest.mark.parametrize("method", METHODS)
def test_float_functional(method: str) -> None:
    args, wanted = METHODS[method]
    assert torch.equal(getattr(FloatFunctional(), method)(*args), wanted)


def test_a_float_functional_is_no_function() -> None:
    with pytest.raises(QflowError, match="QF264: FloatFunctional was called as a module"):
        FloatFunctional()(X, Y)


def test_argmax() -> None:
    assert torch.equal(functional.argmax(X, 1, keepdim=True), X.argmax(1, keepdim=True))
    assert functional.argmax(X).dtype == torch.int64


@pytest.mark.parametrize("scale", [0, -1.0, float("inf"), float("nan")])
def test_a_stub_refuses_a_scale_that_is_none(scale: float) -> None:
    with pytest.raises(QflowError, match="QF111"):
        QuantStub(scale=scale)


def test_a_stub_is_symmetric() -> None:
    with pytest.raises(QflowError, match="QF120: a zero point of 3"):
        QuantStub(scale=0.5, zero_point=3)
    assert QuantStub(1 / 128, 0).scale == 1 / 128
    assert "qconfig" not in vars(QuantStub())
