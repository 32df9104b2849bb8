"""Metrics and distances: what they count."""

import numpy as np
import pytest

from qflow.analysis.metrics.accuracy import Accuracy
from qflow.analysis.steps import Distance, Step


def test_accuracy_of_dense_outputs_counts_every_place() -> None:
    scores = np.zeros((1, 2, 2, 2), dtype=np.float32)
    scores[0, 1, 0, 0] = 1
    counted = Accuracy()
    counted.update({"mask": scores}, np.array([[[1, 0], [0, 1]]]))
    assert counted.result() == 0.75


def test_accuracy_names_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"`logits` is \[2, 3\] and the targets are \[3\]"):
        Accuracy().update({"logits": np.zeros((2, 3))}, np.zeros(3))


def test_a_kept_accumulator_is_measured_in_the_step_it_would_have() -> None:
    distance = Distance()
    distance.update(np.array([12.75, -1.0]), np.array([12.75, -1.1]))
    assert distance.result(Step(None, 127.5)) == pytest.approx(1.0)


def test_distance_without_a_difference_needs_no_step() -> None:
    distance = Distance()
    distance.update(np.zeros(3), np.zeros(3))
    assert distance.result(Step(None, 127.5)) == 0.0


def test_rounding_noise_is_not_a_step() -> None:
    scale = np.float32(0.1)
    distance = Distance()
    distance.update(np.array([3 * scale]), np.array([2 * scale], dtype=np.float32))
    assert distance.result(Step(float(scale))) == 1.0


def test_a_difference_where_the_step_is_zero_is_infinite() -> None:
    distance = Distance()
    distance.update(np.array([0.0]), np.array([1.0]))
    assert distance.result(Step(None, 127.5)) == float("inf")


def test_float32_noise_of_one_grid_does_not_count() -> None:
    # 32767 steps of a scale that float32 cannot hold exactly, one step apart
    scale = np.float32(3.0000001e-5)
    ours, theirs = np.float32([32767, -32767]) * scale, np.float32([32766, -32766]) * scale
    distance = Distance()
    distance.update(ours, theirs)
    assert float(ours[0] - theirs[0]) / float(scale) != 1
    assert distance.result(Step(float(scale))) == 1
    # a lane that lies on no grid keeps its fraction
    distance = Distance()
    distance.update(ours, ours + np.float32(0.4) * scale)
    assert distance.result(Step(float(scale))) == pytest.approx(0.4, abs=0.01)
