"""check_model: the report in six sections, on traced and on eager models, and what it leaves alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.dtype import qint8, qint16
from qflow.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QConfig,
    QuantStub,
    check_model,
    check_qat_model,
    check_qconfig,
    check_unfused_operations,
    get_module_called_count,
    prepare,
    set_fake_quantize,
)
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.min_max import MinMax
from tests.tracing.models import SmallNet, image, with_statistics

MIN_MAX = FakeQuantize.with_args(observer=MinMax())
INT8 = QConfig(output=MIN_MAX, weight=MIN_MAX)
HEADINGS = (
    "All fusable modules are fused in model!",
    "All modules in the model run exactly once.",
    "input/output dtype statistics:",
    "Each layer out qconfig:",
    "Weight qconfig:",
    "Please check if these OPs qconfigs are expected..",
)


class Shared(nn.Module):
    """A convolution that runs twice, a convolution of its own, a convolution nobody runs."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.bn = nn.BatchNorm2d(1)
        self.wide = nn.Conv2d(1, 1, 1)
        self.idle = nn.Conv2d(1, 1, 1)
        self.head = nn.Conv2d(1, 2, 1)
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        y = self.wide(self.conv(self.conv(self.quant(x))))
        return self.dequant(self.head(y))


def prepared(net: nn.Module, setter: Any = INT8, **settings: Any) -> nn.Module:
    return prepare(net, (image(),), setter, march="nash-m", out_dir=None, **settings)


def section(text: str, heading: str) -> list[list[str]]:
    """Rows of a section's table, cells by column."""
    below = text.split(heading, 1)[1].strip("\n").split("\n\n")[0].splitlines()
    return [[c for c in line.split("  ") if c] for line in below[2:]]


def test_six_sections_in_order() -> None:
    text = check_model(prepared(with_statistics(SmallNet()))).text
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places)
    assert text.endswith("nothing unusual was found\n")


def test_layers_say_what_enters_leaves_and_observes() -> None:
    text = check_model(prepared(with_statistics(SmallNet()))).text
    rows = {r[0]: [c.strip() for c in r[1:]] for r in section(text, "Each layer out qconfig:")}
    assert rows["quant"] == ["QuantStub", "torch.float32", "qint8", "-1", "MinMax()"]
    assert rows["stem.0"][0] == "Conv2d+BatchNorm2d+ReLU"
    assert rows["pool"][-1] == "as its input"
    assert rows["fc"] == ["Linear", "qint8", "qint32", "accumulator kept"]
    assert rows["dequant"] == ["DeQuantStub", "qint32", "torch.float32"]
    weights = {r[0]: [c.strip() for c in r[1:]] for r in section(text, "Weight qconfig:")}
    assert weights["fc"] == ["Linear", "qint8", "0", "MinMax()"]
    counts = section(text, "input/output dtype statistics:")
    assert ["qint32", "1", "1"] in [[c.strip() for c in row] for row in counts]


def test_shared_modules_are_counted() -> None:
    net = Shared()
    result = check_model(prepared(net), image())
    counts = {r[0].strip(): r[1].strip() for r in section(result.text, "Each module called times:")}
    # what never runs is not in a traced model at all
    assert counts == {"conv": "2"}
    assert "QF706" in {d.code for d in result.diagnostics}


def test_what_to_look_at() -> None:
    net = Shared()
    wide = FakeQuantize.with_args(observer=MinMax(), dtype=qint16)
    net.conv.qconfig = QConfig(
        output=FakeQuantize.with_args(observer=Fixed(scale=0.0625), dtype=qint8), weight=MIN_MAX
    )
    net.wide.qconfig = QConfig(output=wide, weight=wide)
    text = check_model(prepared(net)).text
    said = text.split("Please check")[1]
    assert "Fixed scale 0.0625" in said
    assert "qint16 weight!!!" in said
    assert "input dtype [qint8] is not same with out dtype qint16" in said


def test_unquantized_upstream_is_abnormal() -> None:
    net = Shared()
    net.wide.qconfig = None
    said = check_model(prepared(net)).text.split("Please check")[1]
    assert "no qconfig" in said or "abnormal" in said, said


def test_unfused_modules_are_listed_with_a_reason() -> None:
    class Twice(SmallNet):
        def forward(self, image: Tensor) -> Tensor:
            x = self.stem(self.quant(image))
            x = self.left(self.left(x))
            return self.dequant(self.fc(torch.flatten(self.pool(x), 1)))

    result = check_model(prepared(with_statistics(Twice())))
    assert "Fusable modules are listed below:" in result.text
    assert "left.conv(shared)" in result.text
    assert "not fused: " in result.text


def test_the_file_is_written_and_the_model_stays(tmp_path: Path) -> None:
    model = prepared(with_statistics(SmallNet()))
    model.train()
    set_fake_quantize(model, FakeQuantState.QAT)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    result = check_qat_model(model, image(), tmp_path)
    assert (tmp_path / "model_check_result.txt").read_text() == result.text
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(m.training for m in model.modules())
    assert all(m.observing for m in model.modules() if isinstance(m, FakeQuantize))


def test_eager_models_are_checked_with_examples() -> None:
    net = with_statistics(SmallNet())
    net.qconfig = INT8
    model = prepare(net, None, method="eager", march="nash-m", out_dir=None)
    blind = check_model(model)
    assert "MinMax()" in blind.text
    seen = check_model(model, image())
    assert seen.subject.inventory is not None
    rows = {r[0]: [c.strip() for c in r[1:]] for r in section(seen.text, "Each layer out qconfig:")}
    assert rows["quant"][1:3] == ["torch.float32", "qint8"]
    assert rows["stem.0"][1] == "qint8"


def test_a_float_model_has_no_fake_quantizer() -> None:
    assert [d.code for d in check_model(SmallNet()).diagnostics] == ["QF728"]


def test_what_the_model_raises_is_not_swallowed() -> None:
    net = with_statistics(SmallNet())
    net.qconfig = INT8
    model = prepare(net, None, method="eager", march="nash-m", out_dir=None)
    with pytest.raises(QflowError, match="QF313"):
        check_model(model, torch.zeros(1, 3, 8, 8))


def test_called_counts(capsys: pytest.CaptureFixture[str]) -> None:
    counts = get_module_called_count(Shared(), image())
    assert counts == {"quant": 1, "conv": 2, "wide": 1, "head": 1, "dequant": 1, "bn": 0, "idle": 0}
    assert "called times" in capsys.readouterr().out
    convolutions = get_module_called_count(
        Shared(), image(), lambda m: isinstance(m, nn.Conv2d), print_tabulate=False
    )
    assert convolutions == {"conv": 2, "wide": 1, "head": 1, "idle": 0}


def test_counting_leaves_no_hooks() -> None:
    net = Shared()
    get_module_called_count(net, image(), print_tabulate=False)
    assert not any(m._forward_hooks for m in net.modules())


def test_unfused_operations(capsys: pytest.CaptureFixture[str]) -> None:
    net = with_statistics(SmallNet())
    groups = check_unfused_operations(net, image())
    assert ["stem.0", "stem.1", "stem.2"] in groups
    assert "BatchNorm2d" in capsys.readouterr().out
    assert check_unfused_operations(prepared(net), image(), print_tabulate=False) == []


def test_qconfig_tables_of_chosen_modules(tmp_path: Path) -> None:
    model = prepared(with_statistics(SmallNet()))
    text = check_qconfig(model, prefixes=("stem",), out_dir=tmp_path)
    assert "stem.0" in text
    assert "left" not in text
    assert (tmp_path / "qconfig_info.txt").read_text() == text
    named = check_qconfig(model, custom_check_func=lambda m: isinstance(m, nn.Linear))
    assert named.startswith("Modules your check names:")
    assert named.split("Each layer")[0].count("fc") == 1


def test_a_float_model_is_looked_at_without_being_set(caplog) -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 1))
    assert "QF728" in {d.code for d in check_model(model, torch.zeros(1, 1, 2, 2)).diagnostics}
    assert not [r for r in caplog.records if "QF258" in r.message]
