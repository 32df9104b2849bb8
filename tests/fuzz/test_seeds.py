"""What fuzzing found stays mended: every kept text, and a short run from a fixed start."""

import random
import signal
from pathlib import Path

import pytest

from fuzz.__main__ import SEEDS, _led_by_marks, starts
from fuzz.limit import Budget, TooSlow, alarmed
from fuzz.mutate import LONGEST, PIECES, mutated
from fuzz.target import one

FILES = sorted(SEEDS.iterdir())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_kept_text(path: Path) -> None:
    one(path.read_bytes())


def test_there_are_seeds() -> None:
    assert len(FILES) > 8
    assert {path.suffix for path in FILES} == {".qf"}


def test_a_short_run() -> None:
    rng = random.Random(11)
    texts = [data.decode("utf-8", "replace") for data in starts()]
    marks = set()
    for _ in range(60):
        marks |= one(mutated(texts, rng).encode("utf-8", "surrogatepass"))
    assert len(marks) > 30


def test_every_piece_alone() -> None:
    for piece in PIECES:
        for text in (piece, f"qflow 1\n{piece}", f"qflow 1\nmodel m {{ {piece} }}\n"):
            one(text.encode("utf-8", "surrogatepass"))


def test_mutation_is_bounded_and_repeatable() -> None:
    texts = ["qflow 1\nmodel m { a = 1 }\n" * 50]
    first = [mutated(texts, random.Random(n)) for n in range(20)]
    assert first == [mutated(texts, random.Random(n)) for n in range(20)]
    assert max(map(len, first)) <= LONGEST
    assert len(set(first)) > 10


def test_what_must_hold_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.target.format_text", lambda text, path: text + "\n#")
    with pytest.raises(AssertionError):
        one(b"qflow 1\nmodel m { a = 1 }\n")


def test_a_text_that_takes_for_ever_is_a_finding() -> None:
    def for_ever() -> None:
        while True:
            pass

    with pytest.raises(TooSlow), alarmed(0.01):
        for_ever()
    with alarmed(0.01):
        pass
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_a_search_ends_by_the_time_it_computed(capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget(0.0)
    assert budget.is_spent
    assert not Budget(1000.0).is_spent
    assert _led_by_marks(0, 1) == 0
    assert capsys.readouterr().out == "0 texts in 0 s, 0 kinds, 0 that broke something\n"
