"""The eager flow: fuse_modules, FloatFunctional, a qconfig per module, an output qconfig."""

import pytest
import torch
from torch import Tensor, nn

from qflow.export import export
from qflow.nn.quantized import FloatFunctional
from qflow.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    fuse_known_modules,
    fuse_modules,
    get_default_qat_out_qconfig,
    get_default_qat_qconfig,
    prepare_qat,
    set_fake_quantize,
)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(4)
        self.add = FloatFunctional()
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.add.add(self.bn2(self.conv2(y)), x))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.stem = nn.Conv2d(3, 4, 1)
        self.block = Block()
        self.head = nn.Conv2d(4, 2, 1)
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.head(self.block(self.stem(self.quant(x)))))


FUSED = [
    ["block.conv1", "block.bn1", "block.relu1"],
    ["block.conv2", "block.bn2", "block.add", "block.relu2"],
]


def random_statistics(net: nn.Module) -> nn.Module:
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return net.eval()


def test_fusion_keeps_what_the_model_computes() -> None:
    torch.manual_seed(0)
    net, x = random_statistics(Net()), torch.randn(2, 3, 5, 5)
    fused = fuse_modules(net, FUSED, inplace=False, fuser_func=fuse_known_modules)
    # folding a batch norm rounds weights once more
    assert torch.allclose(fused(x), net(x), atol=1e-5)
    assert isinstance(fused.block.bn1, nn.Identity)
    assert isinstance(fused.block.conv2, nn.Identity)
    assert isinstance(net.block.bn1, nn.BatchNorm2d)


def test_the_whole_flow() -> None:
    torch.manual_seed(0)
    net, x = random_statistics(Net()), torch.randn(2, 3, 5, 5)
    fused = fuse_modules(net, FUSED, inplace=False, fuser_func=fuse_known_modules)
    fused.qconfig = get_default_qat_qconfig()
    fused.head.qconfig = get_default_qat_out_qconfig()
    model = prepare_qat(fused, inplace=False)
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for _ in range(2):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    state = model.state_dict()
    assert "block.add.activation_post_process.scale" in state
    assert "block.add.weight" in state
    assert "head.activation_post_process.scale" not in state
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    integer = export(model, (x,))
    assert integer.outputs[0].dtype == "int32"
    (out,) = (integer.outputs[0],)
    steps = (integer(x) - model(x)).abs() / torch.from_numpy(out.scale).reshape(1, -1, 1, 1)
    # a rescale may round a tie the other way; behind one more layer that is a few accumulator steps
    assert steps.max() < 4 * 127


def test_the_first_operand_of_an_add_must_be_the_convolution() -> None:
    from qflow.diagnostics import QflowError

    with pytest.raises(QflowError):
        fuse_modules(Net().eval(), [["block.add", "block.conv2"]], fuser_func=fuse_known_modules)
