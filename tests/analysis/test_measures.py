"""Measures: what each computes over batches, and what it says of words it cannot use."""

from dataclasses import dataclass

import numpy as np
import pytest

from qflow import registry
from qflow.analysis.batch import Batch
from qflow.analysis.steps import Step
from qflow.plan.plan import ExportPlan, PortPlan

NAMES = registry.names("analysis.measures")


@dataclass(frozen=True)
class Model:
    outputs: tuple[PortPlan, ...] = (PortPlan("logits", "float32", ("N", 3)),)


@dataclass(frozen=True)
class Facts:
    model: Model = Model()
    exports: tuple[ExportPlan, ...] = (ExportPlan("onnx", "x.onnx", ()),)


def batch(target=None, mismatches=0, **lanes) -> Batch:
    outputs = {
        lane.replace("__", "."): {"logits": np.array(v, dtype=np.float32)}
        for lane, v in lanes.items()
    }
    if "emulated" in outputs:
        outputs["emulator@export.onnx"] = outputs.pop("emulated")
    wanted = None if target is None else np.array(target)
    return Batch(outputs, wanted, 10, mismatches, {"logits": Step(0.5)})


def measure(name: str, *args: str):
    return registry.load("analysis.measures", name)(args)


def over(made, *batches: Batch):
    for one in batches:
        made.update(one)
    return made.result()


RIGHT = [[1, 0, 0], [0, 1, 0]]
HALF = [[1, 0, 0], [0, 0, 1]]


def test_accuracy_counts_over_all_batches() -> None:
    batches = [batch([0, 1], integer=RIGHT), batch([0, 1], integer=HALF)]
    assert over(measure("accuracy", "integer"), *batches) == 0.75


def test_emulator_alone_is_the_integer_lane() -> None:
    assert over(measure("accuracy", "emulator"), batch([0, 1], integer=HALF)) == 0.5


def test_accuracy_drop_is_against_float_and_free_of_noise() -> None:
    lanes = {"float": RIGHT, "integer": HALF}
    assert over(measure("accuracy_drop", "integer"), batch([0, 1], **lanes)) == 0.5
    better = {"float": HALF, "integer": RIGHT}
    assert over(measure("accuracy_drop", "integer"), batch([0, 1], **better)) == -0.5


def test_cosine_takes_the_whole_set_as_one_vector() -> None:
    first = batch(float=[[1.0, 0, 0]], integer=[[1.0, 0, 0]])
    second = batch(float=[[0.0, 1, 0]], integer=[[0.0, 0, 1]])
    assert over(measure("cosine", "output.logits"), first, second) == pytest.approx(0.5)


def test_cosine_of_zeros_and_of_another_lane() -> None:
    zeros = [[0.0, 0, 0]]
    both = batch(float=zeros, integer=zeros, fake_quant=[[1.0, 0, 0]])
    assert over(measure("cosine", "output.logits"), both) == 1.0
    assert over(measure("cosine", "output.logits", "fake_quant"), both) == 0.0


def test_exact_of_emulator_and_oracle_looks_at_every_tensor() -> None:
    same = {"integer": RIGHT, "oracle": RIGHT}
    assert over(measure("exact", "emulator", "oracle"), batch(**same)) is True
    # outputs agree, an integer somewhere inside does not
    assert over(measure("exact", "oracle", "emulator"), batch(mismatches=1, **same)) is False


def test_exact_next_to_an_export_computes_as_the_export_does() -> None:
    lanes = {"integer": HALF, "emulated": RIGHT, "export__onnx": RIGHT}
    assert over(measure("exact", "emulator", "export.onnx"), batch(**lanes)) is True
    assert over(measure("exact", "export.onnx", "emulator"), batch(**lanes)) is True
    assert over(measure("exact", "integer", "export.onnx"), batch(**lanes)) is False


def test_steps_is_the_largest_distance_in_scales() -> None:
    near = batch(emulated=[[0.0, 0.5, 1.0]], export__onnx=[[0.0, 0.5, 0.5]])
    far = batch(emulated=[[0.0, 0.5, 1.0]], export__onnx=[[0.0, 0.5, -0.5]])
    assert over(measure("steps", "emulator", "export.onnx"), near) == 1.0
    assert over(measure("steps", "emulator", "export.onnx"), near, far) == 3.0


@pytest.mark.parametrize("name", NAMES)
def test_every_measure_says_what_is_wrong_with_its_words(name: str) -> None:
    made = registry.load("analysis.measures", name)()
    assert made.check((), Facts()), "no words at all"
    assert made.check(("nonsense", "nonsense", "nonsense"), Facts())
    assert made.forms.startswith(f"{name}(")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("accuracy", ("integer",)),
        ("accuracy_drop", ("fake_quant",)),
        ("cosine", ("output.logits",)),
        ("exact", ("emulator", "oracle")),
        ("steps", ("emulator", "export.onnx")),
    ],
)
def test_words_that_are_fine(name: str, args: tuple[str, ...]) -> None:
    assert registry.load("analysis.measures", name)().check(args, Facts()) == ()


def test_an_unknown_lane_is_named_with_the_known_ones() -> None:
    (sentence,) = registry.load("analysis.measures", "exact")().check(
        ("emulator", "export.tflite"), Facts()
    )
    assert "`export.tflite` is no lane" in sentence
    assert "`export.onnx`" in sentence


def test_an_unknown_output_is_named_with_the_known_ones() -> None:
    (sentence,) = registry.load("analysis.measures", "cosine")().check(("output.box",), Facts())
    assert "`output.box`" in sentence
    assert "`output.logits`" in sentence
