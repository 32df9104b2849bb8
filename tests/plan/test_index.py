"""Globs over all addresses of a model at once, against asking each address by itself."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qflow.plan import index as module
from qflow.plan.address import matches
from qflow.plan.index import Index

names = st.text("ab1", min_size=1, max_size=3)
addresses = st.lists(names, min_size=1, max_size=5).map(".".join)
globs = st.lists(
    st.one_of(st.sampled_from(("*", "**", "**", "a", "b1")), st.text("ab1*", max_size=4)),
    min_size=1,
    max_size=6,
).map(".".join)


def slow(pattern: str, address: str) -> bool:
    """The words of the manual, segment by segment, without a regular expression of the whole."""

    def covers(segments: list[str], names: list[str]) -> bool:
        if not segments:
            return not names
        first, *rest = segments
        if first == "**":
            taken = next((i for i, n in enumerate(names) if not n), len(names))
            return any(covers(rest, names[n:]) for n in range(taken + 1))
        if not names:
            return False
        one = "(?s:.+)" if first == "*" else re.escape(first).replace(r"\*", "(?s:.*)")
        return re.fullmatch(one, names[0]) is not None and covers(rest, names[1:])

    return bool(address) and covers(pattern.split("."), address.split("."))


@given(st.lists(addresses, unique=True, max_size=30), globs)
@example(["a", "a.b", "a.b.a"], "**.a.**")
@example(["a.a", "a"], "a.**.a")
@example(["b", "ab", "b.ab"], "**.*b*.**")
def test_it_finds_what_each_address_says_of_itself(known: list[str], pattern: str) -> None:
    one_by_one = [i for i, address in enumerate(known) if matches(pattern, address)]
    assert list(Index(known).covered(pattern)) == one_by_one
    assert one_by_one == [i for i, address in enumerate(known) if slow(pattern, address)]


@given(
    st.lists(st.text("a.*\n", max_size=6), unique=True, max_size=12), st.text("a.*\n", max_size=8)
)
def test_no_text_is_too_strange_for_an_address(known: list[str], pattern: str) -> None:
    one_by_one = [i for i, address in enumerate(known) if matches(pattern, address)]
    assert list(Index(known).covered(pattern)) == one_by_one


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [
        ("stage7.conv", 0),
        ("stage7.**", 0),
        ("**", 0),
        ("stage*.conv", 0),
        ("stage7.**.conv", 2),
        ("**.stage7.*", 2),
        ("**.bn", 900),
    ],
)
def test_few_addresses_are_asked(pattern: str, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(f"stage{i}.{leaf}" for i in range(900) for leaf in ("conv", "bn"))
    whole: list[str] = []
    covering = module.covering

    def counted(glob: str):  # type: ignore[no-untyped-def]
        return lambda text: whole.append(text) or covering(glob)(text)

    monkeypatch.setattr(module, "covering", counted)
    assert index.covered(pattern)
    assert len([text for text in whole if "." in text]) == asked
    assert index.covered(pattern) is index.covered(pattern)
