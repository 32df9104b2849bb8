"""The nearest of many words: what difflib says, with far fewer comparisons."""

from difflib import SequenceMatcher, get_close_matches

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qflow.plan import closest as module
from qflow.plan.closest import closest

words = st.text("abc.1", max_size=9)


@given(words, st.lists(words, max_size=25), st.sampled_from((0.0, 0.4, 0.6, 1.0)))
def test_it_says_what_difflib_says(word: str, known: list[str], cutoff: float) -> None:
    assert closest(word, tuple(known), cutoff) == get_close_matches(word, known, 3, cutoff)


def test_few_words_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    class Counted(SequenceMatcher):
        def ratio(self) -> float:
            compared.append(self.a)
            return super().ratio()

    monkeypatch.setattr(module, "SequenceMatcher", Counted)
    known = tuple(f"stage{i // 100}.block{i % 100}.conv" for i in range(1_000))
    found = closest("stage7.block42.covn", known, 0.6)
    assert found == get_close_matches("stage7.block42.covn", known, 3, 0.6)
    assert found[0] == "stage7.block42.conv"
    count = len(compared)
    assert count < 300
