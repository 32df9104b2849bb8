"""Eager quantization: lists of modules, qconfig attributes, the user's own forward."""

import copy
import logging
import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.ao.nn.quantized import FloatFunctional as TorchFloatFunctional

from qflow.diagnostics import QflowError
from qflow.dtype import qint16
from qflow.export import export
from qflow.march import March
from qflow.march.current import with_march
from qflow.nn.quantized import FloatFunctional
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    PrepareMethod,
    QConfig,
    QuantStub,
    convert,
    fuse_known_modules,
    fuse_modules,
    get_default_qat_out_qconfig,
    get_default_qat_qconfig,
    prepare,
    prepare_qat,
    set_fake_quantize,
)
from qflow.quantization.facts import facts_of
from tests.tracing.models import with_statistics

NASH = with_march("nash-m")


class Net(nn.Module):
    def __init__(self, functional: type[nn.Module] = FloatFunctional) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(scale=1 / 32), DeQuantStub()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        self.other = nn.Conv2d(4, 4, 1)
        self.skip_add, self.join = functional(), functional()
        self.pool, self.drop = nn.MaxPool2d(2), nn.Dropout()
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.bn(self.conv(self.quant(x))))
        y = self.other(x)
        y = self.skip_add.add(y, x)
        y = self.join.cat([self.relu(y), x], 1)
        return self.dequant(self.drop(self.head(y)))


LISTS = [["conv", "bn"], ["other", "skip_add", "relu"]]


def image(n: int = 2) -> Tensor:
    return torch.randn(n, 3, 6, 8, generator=torch.Generator().manual_seed(n))


def prepared(net: nn.Module, lists: list[list[str]] = LISTS, **more) -> nn.Module:
    fused = fuse_modules(with_statistics(net).eval(), lists)
    fused.qconfig = get_default_qat_qconfig()
    fused.head.qconfig = get_default_qat_out_qconfig()
    return NASH(prepare_qat)(fused, **more)


def trained(model: nn.Module) -> nn.Module:
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    model(image()).square().mean().backward()
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


@pytest.mark.parametrize("functional", [FloatFunctional, TorchFloatFunctional])
def test_the_flow(functional: type[nn.Module]) -> None:
    model = trained(prepared(Net(functional)))
    keys = set(model.state_dict())
    assert {
        "quant.activation_post_process.scale",
        "conv.weight_fake_quant.scale",
        "skip_add.weight",
        "skip_add.activation_post_process.scale",
        "join.activation_post_process.scale",
        "head.weight_fake_quant.scale",
    } <= keys
    without = ("head", "pool", "drop", "dequant", "other", "relu", "bn")
    assert not [k for k in keys if k.startswith(tuple(f"{n}.activation" for n in without))]
    assert model.quant.activation_post_process.scale.item() == 1 / 32
    integer = export(model, image())
    assert [(p.dtype, p.axis) for p in integer.outputs] == [("int32", 1)]
    x = image(4)
    steps = (integer(x) - model(x)).abs() / torch.from_numpy(integer.outputs[0].scale).view(
        -1, 1, 1
    )
    assert steps.max() <= 4 * 127
    assert integer.graph.by_id["skip_add"].op == "conv2d"
    converted = convert(model)
    assert torch.equal(converted(x), integer(x))
    assert torch.equal(convert(model, example_inputs=image())(x), integer(x))


def test_where_fused_modules_live() -> None:
    net = with_statistics(Net()).eval()
    fused = fuse_modules(net, LISTS)
    torch.testing.assert_close(fused(image()), net(image()), rtol=1e-4, atol=1e-5)
    assert isinstance(fused.conv, nn.Conv2d)
    assert [type(fused.get_submodule(n)) for n in ("bn", "relu")] == [nn.Identity] * 2
    assert isinstance(fused.other, nn.Identity)
    assert isinstance(fused.skip_add, nn.Conv2d)
    assert repr(fused.other) == "Identity()"
    assert isinstance(net.bn, nn.BatchNorm2d)
    again = pickle.loads(pickle.dumps(copy.deepcopy(fused)))
    assert torch.equal(again(image()), fused(image()))
    assert fuse_modules(net, ["conv", "bn"], inplace=True) is net
    assert isinstance(net.bn, nn.Identity)


def test_as_the_fuser_of_torch() -> None:
    from torch.ao.quantization import fuse_modules as torch_fuse_modules

    net = with_statistics(Net()).eval()
    ours, theirs = (
        fuse_modules(net, LISTS),
        torch_fuse_modules(net, LISTS, fuser_func=fuse_known_modules),
    )
    assert torch.equal(theirs(image()), ours(image()))


def test_the_convolution_must_be_the_first_operand() -> None:
    class Swapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu, self.skip_add = nn.Conv2d(3, 3, 1), nn.ReLU(), FloatFunctional()

        def forward(self, x: Tensor) -> Tensor:
            return self.skip_add.add(x, self.conv(self.relu(x)))

    fused = fuse_modules(Swapped(), [["conv", "skip_add"]])
    with pytest.raises(QflowError, match="QF266: the second operand of a fused add"):
        fused(image())
    # a copy and a prepared model say so as well
    fused.qconfig = get_default_qat_qconfig()
    with pytest.raises(QflowError, match="QF266"):
        NASH(prepare_qat)(fused)(image())


class MyBN(nn.BatchNorm2d):
    pass


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["bn", "conv"], "the first of the list must be the convolution"),
        (["conv", "pool"], "`MaxPool2d` is none of the modules that are fused"),
        (["conv", "mine"], "`MyBN` is a subclass of `BatchNorm2d`"),
        (["conv"], ""),
        (["skip_add", "other"], "the first of the list"),
    ],
)
def test_lists_that_are_no_pattern(names: list[str], says: str) -> None:
    net = Net()
    net.mine = MyBN(4)
    with pytest.raises(QflowError, match="QF265") as caught:
        fuse_modules(net, [names])
    (found,) = caught.value.diagnostics
    assert found.notes[0] == f"the list is {', '.join(f'`{n}`' for n in names)}"
    assert says in " ".join(found.notes)


def test_a_name_the_model_does_not_have() -> None:
    with pytest.raises(QflowError, match="QF204: the model has no module `conf`") as caught:
        fuse_modules(Net(), [["conf", "bn"]])
    assert "`conv`" in caught.value.diagnostics[0].help


def test_qconfigs_are_inherited_and_none_is_float() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), nn.Conv2d(1, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x))

    wide = QConfig(output=FakeQuantize.with_args(dtype=qint16))
    net = Outer()
    net.qconfig, net.a.qconfig = get_default_qat_qconfig(), wide
    net.a[1].qconfig = None
    model = NASH(prepare_qat)(net)
    assert model.a[0].activation_post_process.dtype is qint16
    assert not hasattr(model.a[0], "weight_fake_quant")
    assert type(model.a[1]) is nn.ReLU
    assert model.b.activation_post_process.dtype.name == "int8"
    assert type(net.b) is nn.Conv2d
    facts = facts_of(model)
    assert [p.address for p in facts.plans] == ["a.0", "b"]
    assert facts.march == "nash-m"


def test_a_module_with_two_names_stays_one() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1))
    net.append(net[0])
    net.qconfig = get_default_qat_qconfig()
    model = NASH(prepare_qat)(net)
    assert model[0] is model[1]


def test_what_cannot_be_prepared() -> None:
    with pytest.raises(QflowError, match="QF115: no module of `Net` has a qconfig"):
        NASH(prepare_qat)(Net())
    with pytest.raises(QflowError, match="QF268: `hybrid` has no meaning here"):
        prepare_qat(Net(), hybrid=True)
    net = Net()
    net.qconfig = get_default_qat_qconfig()
    with pytest.raises(QflowError, match="QF268: setters decide on a graph"):
        NASH(prepare_qat)(net, qconfig_setter=("a", "b"))


def test_functions_that_have_no_module_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Forgetful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant, self.dequant, self.conv = QuantStub(), DeQuantStub(), nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.quant(x)
            return self.dequant((self.conv(x) + x).flatten(1))

    net = Forgetful()
    net.qconfig = get_default_qat_qconfig()
    with caplog.at_level(logging.WARNING, "qflow"):
        model = prepare(net, image(), method=PrepareMethod.EAGER, march=March.NASH_M)
    assert [r.message for r in caplog.records] == [
        "QF267 warning: the function `add` in `the model` has no module, so no scale"
    ]
    assert [n.code for n in facts_of(model).notes] == ["QF267"]
    with pytest.raises(QflowError, match="QF262: `_generated_add_0`"):
        export(trained(model), image())


def test_conversion_waits_for_arguments() -> None:
    model = prepared(Net())
    with pytest.raises(QflowError, match="QF261"):
        convert(model)
    made = convert(trained(model))
    with pytest.raises(QflowError, match="QF263"):
        _ = made.integer
    made(image())
    assert made.integer.outputs[0].dtype == "int32"
    with pytest.raises(QflowError, match="QF260"):
        convert(Net().eval())


def test_the_oldest_graph_api(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qflow.quantization import convert_fx, fuse_fx, prepare_qat_fx

    monkeypatch.chdir(tmp_path)  # `prepare` writes its reports there

    net = with_statistics(Net()).eval()
    fused = NASH(fuse_fx)(net, example_inputs=image())
    torch.testing.assert_close(fused(image()), net(image()), rtol=1e-4, atol=1e-5)
    assert isinstance(fused.bn, nn.Identity)
    with pytest.raises(QflowError, match="QF252: `fuse_fx` needs example inputs"):
        NASH(fuse_fx)(net)
    with pytest.raises(QflowError, match="QF268: `hybrid` has no meaning"):
        prepare_qat_fx(net, hybrid=True)
    qconfigs = {
        "": get_default_qat_qconfig(),
        "module_name": {"head": get_default_qat_out_qconfig()},
    }
    model = NASH(prepare_qat_fx)(net, qconfigs, example_inputs=image())
    assert "skip_add.weight" in model.state_dict()
    converted = convert_fx(trained(model))
    assert converted(image()).shape == net(image()).shape
    assert converted.integer.outputs[0].dtype == "int32"
