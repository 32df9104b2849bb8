"""What a trace by example says: decisions of values, where they were taken, what it did not see."""

import inspect
import logging

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.diagnostics import Diagnostic, QflowError
from qflow.tracing import Traced, trace_call
from tests.tracing.test_example import follow, rows

GLOBAL = torch.tensor([2.0, 2, 2, 2])


def lines_of(forward, traced: Traced, code: str = "QF226") -> list[str]:
    """Text of the lines that the notes of one kind stand at."""
    source, first = inspect.getsourcelines(forward)
    found = [n for n in traced.notes if n.code == code]
    for note in found:
        assert note.at is not None
        assert note.at.path.endswith("test_example_notes.py")
        assert note.severity == "warning"
    return [source[n.at.line - first].strip() for n in found]


def test_every_decision_of_a_value_is_said_once() -> None:
    def forward(self, x):
        if x.sum() > 0:  # bool
            x = x + 1
        for _ in range(3):
            x = x * int(x[0, 0].abs() + 1)  # int
        top = float(x.max())  # float
        count = x.argmax().item()  # item
        first = x[0].tolist()  # tolist
        array = np.asarray(x)  # numpy
        row = [x, -x][(x[0, 0] > 0).long()]  # index
        assert (x == x).all()  # assert
        both = torch.equal(x, row)  # equal
        return x * top + count + first[0] + float(array[0, 0]) + both

    model, traced = follow(forward, rows().abs())
    marked = [line for line in inspect.getsource(forward).splitlines() if "  # " in line]
    assert lines_of(forward, traced) == [line.strip() for line in marked]
    assert torch.equal(traced.module(rows().abs()), model(rows().abs()))


def test_sizes_that_values_decide() -> None:
    def forward(self, x):
        found = x[:, 0].nonzero()
        picked = x[x > 0]
        total = x.new_zeros(found.shape[0]).sum() + picked.sum()
        for _ in range(found.shape[0]):  # counted
            total = total + 1
        for row in found:  # walked
            total = total + row.sum()
        for _ in range(len(picked)):  # length
            total = total + len(picked)
        return total

    _, traced = follow(forward, rows().abs())
    assert set(lines_of(forward, traced)) == {
        "for _ in range(found.shape[0]):  # counted",
        "for row in found:  # walked",
        "for _ in range(len(picked)):  # length",
    }


def test_sizes_of_inputs_and_values_of_constants_decide_nothing() -> None:
    def forward(self, x):
        mask = torch.arange(3) > 1
        if x.shape[0] > 1 and x.dim() == 2 and bool(mask.any()) and x.is_floating_point():
            x = x + len(x)
        return x * self.training + torch.tensor([1.0, 2, 3, 4])

    _, traced = follow(forward, rows())
    assert traced.notes == ()


def test_a_note_reads_as_a_person_would_say_it() -> None:
    def forward(self, x):
        return -x if x.mean() < 0 else x

    _, traced = follow(forward, rows())
    (note,) = traced.notes
    assert "`forward` needs the value of a tensor" in note.message
    assert note.notes == ("the line reads `return -x if x.mean() < 0 else x`",)
    assert "wrap" in note.help


def test_a_tensor_that_nobody_saw_being_made() -> None:
    def forward(self, x):
        return x * GLOBAL + torch.from_numpy(np.ones(4, dtype=np.float32))

    model, traced = follow(forward, rows())
    assert lines_of(forward, traced, "QF227") == [
        "return x * GLOBAL + torch.from_numpy(np.ones(4, dtype=np.float32))"
    ]
    assert torch.equal(traced.module(rows(3)), model(rows(3)))


def test_a_tensor_that_nobody_saw_and_that_depends_on_the_inputs() -> None:
    def forward(self, x):
        return x + unseen(x)

    with pytest.raises(QflowError, match="QF227: a tensor that the trace does not see") as caught:
        follow(forward, rows())
    assert caught.value.diagnostics[0].at is not None


class Hidden(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        with torch._C.DisableTorchFunction():
            return x * 2


def unseen(x: Tensor) -> Tensor:
    return Hidden.apply(x)


def test_a_view_that_is_overwritten() -> None:
    def forward(self, x):
        x = x + 0
        y = x[:, 1:]
        y.relu_()
        z = y * 2
        return x.sum() + z.sum()  # read

    model, traced = follow(forward, rows())
    assert lines_of(forward, traced, "QF227") == ["return x.sum() + z.sum()  # read"]
    assert torch.equal(traced.module(rows(3)), model(rows(3)))


def refused(model: nn.Module, *args: object) -> Diagnostic:
    with pytest.raises(QflowError) as caught:
        trace_call(model.eval(), args)
    (found,) = caught.value.diagnostics
    return found


def test_a_model_that_counts_its_calls_is_refused() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return x * self.calls

    found = refused(Counts(), rows())
    assert found.code == "QF227"
    assert "another value" in found.message


def test_the_first_node_that_differs_is_named() -> None:
    class Remembers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(4))
            self.inner = nn.Sequential(nn.ReLU())

        def forward(self, x):
            x = self.inner(x) + 1
            y = x * self.seen
            self.seen.add_(1)
            return torch.relu(y)

    found = refused(Remembers(), rows())
    assert found.code == "QF227"
    assert "mul" in found.message


def test_random_numbers_repeat() -> None:
    def forward(self, x):
        return x + torch.rand(4) + functional.dropout(x, 0.5, training=True) + torch.randn_like(x)

    _, traced = follow(forward, rows())
    torch.manual_seed(1)
    first = traced.module(rows())
    torch.manual_seed(1)
    assert torch.equal(first, traced.module(rows()))


def test_an_error_of_the_model_itself_names_the_line() -> None:
    class Fails(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("no")

    found = refused(Fails(), rows())
    assert found.code == "QF313"
    assert any("raise ValueError" in note for note in found.notes)


def test_what_only_fails_while_it_is_traced() -> None:
    class Strict(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if type(x.shape[0]) is not int:
                raise TypeError("sizes must be int")
            return x

    found = refused(Strict(), rows())
    assert found.code == "QF227"
    assert found.at is not None
    assert "`raise TypeError" in found.notes[0]


def test_nothing_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "qflow"):
        follow(lambda self, x: x if x.sum() > 0 else -x, rows())
    assert not caplog.records
