"""The measure that counts with a metric somebody else made."""

import pytest

from qflow.analysis.measures.metric import Metric
from tests.analysis.test_measures import HALF, RIGHT, Facts, batch


class Rows:
    """How many rows there were."""

    def __init__(self) -> None:
        self.rows = 0

    def update(self, outputs, target) -> None:
        assert len(target) == len(outputs["logits"])
        self.rows += len(outputs["logits"])

    def result(self) -> int:
        return self.rows


def test_it_counts_the_lane_it_is_asked_of() -> None:
    made = Metric(("a.b:Rows", "integer"), counted=Rows())
    for _ in range(3):
        made.update(batch([0, 1], integer=RIGHT, float=HALF[:1]))
    assert made.result() == 6.0


def test_a_metric_of_its_own_has_a_name() -> None:
    assert Metric(("a.b:Rows", "integer")).named == "a.b:Rows"
    assert Metric(("integer",)).named is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "written"),
        (("a.b:C", "integer", "float"), "written"),
        (("flat",), "no lane"),
        (("a.b:C", "flat"), "no lane"),
        (("integer",), ""),
        (("a.b:C", "export.onnx"), ""),
    ],
)
def test_words_it_cannot_use(args: tuple[str, ...], said: str) -> None:
    sentences = Metric(args).check(args, Facts())
    assert bool(sentences) == bool(said)
    assert all(said in s for s in sentences)
