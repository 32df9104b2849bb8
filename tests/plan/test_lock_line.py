"""Words of a lock line: the quick way to them and the careful one agree."""

from hypothesis import example, given
from hypothesis import strategies as st

from qflow.plan import lock_line
from qflow.plan.lock_line import Damaged, split


def careful(text: str) -> list[str] | str:
    """Word by word, whatever they are."""
    words, rest = [], text.lstrip()
    while rest and not rest.startswith("#"):
        found = lock_line._WORD.match(rest)
        if found is None:
            return f"cannot read it from column {len(text) - len(rest) + 1} on"
        words.append(found[0])
        rest = rest[found.end() :].lstrip()
    return words


@given(st.text('ab"#\\ \t\x1c\x85\u3000', max_size=14))
@example('module a.b "x y" # z')
@example('a"b" c')
@example(' a "b')
def test_every_line_has_the_same_words(text: str) -> None:
    try:
        found: list[str] | str = split(text)
    except Damaged as error:
        found = str(error)
    assert found == careful(text)
