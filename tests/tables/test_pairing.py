"""Which entry a tensor gets: by name, by a map, by its place, by likeness; and what is not clear."""

from __future__ import annotations

import pytest

from qflow.diagnostics import QflowError
from qflow.tables.entry import Entry, Table
from qflow.tables.globs import GlobPair
from qflow.tables.name_map import NameMap, parse
from qflow.tables.pairing import Pair, Wanted, pair
from tests.tables import texts


def table(*names: str) -> Table:
    """Every entry has a scale of its own."""
    return Table("t", "qflow", tuple(Entry(n, scale=0.1 + i) for i, n in enumerate(names)))


def one(wanted: Wanted, there: tuple[str, ...], **more: object) -> Pair:
    (found,) = pair([wanted], table(*there), **more)
    return found


def test_a_name_is_matched() -> None:
    found = one(Wanted("stem.conv"), ("x", "stem.conv", "stem_conv"))
    assert (found.status, found.how, found.entry.name) == ("matched", "name", "stem.conv")


def test_the_end_of_a_fusion_comes_before_its_address() -> None:
    """`stem.conv` of a table per layer is what lies before the relu."""
    fused = Wanted("stem.conv", ("stem.relu",))
    assert one(fused, ("stem.conv", "stem.relu")).entry.name == "stem.relu"
    assert one(fused, ("stem.conv", "x")).entry.name == "stem.conv"


@pytest.mark.parametrize(
    "name", ["stem_conv", "/stem/conv/Conv_output_0", "stem.conv_Conv", "stem/conv_output_0"]
)
def test_a_name_that_looks_alike_is_guessed(name: str) -> None:
    found = one(Wanted("stem.conv"), ("x", name))
    assert (found.status, found.how, found.entry.name) == ("guessed", "alike", name)


def test_two_that_look_alike_are_ambiguous() -> None:
    found = one(Wanted("a.b"), ("a_b", "a/b"))
    assert (found.status, found.entry, found.names) == ("ambiguous", None, ("a_b", "a/b"))
    first = one(Wanted("a.b"), ("a_b", "a/b"), first=True)
    assert (first.status, first.entry.name) == ("guessed", "a_b")


def test_a_name_that_is_there_twice() -> None:
    twice = Table("t", "qflow", (Entry("a", scale=1.0), Entry("a", scale=2.0)))
    same = Table("t", "qflow", (Entry("a", scale=1.0), Entry("a", 2, scale=1.0)))
    assert pair([Wanted("a")], twice)[0].status == "ambiguous"
    assert pair([Wanted("a")], same)[0].status == "matched"


def test_what_is_missing_names_what_looks_like_it() -> None:
    found = one(Wanted("block.first"), ("block.frist", "x"))
    assert (found.status, found.names) == ("missing", ("block.frist",))


def test_a_map_comes_before_names() -> None:
    names = NameMap((GlobPair("a", "b"),))
    found = one(Wanted("a"), ("a", "b"), names=names)
    assert (found.how, found.entry.name) == ("map", "b")
    gone = one(Wanted("a"), ("a",), names=names)
    assert (gone.status, gone.note) == (
        "missing",
        "the map says `b`, and the table has no such name",
    )
    assert one(Wanted("c"), ("c",), names=names).how == "name"


def test_patterns_carry_what_stands_for_their_stars() -> None:
    names = NameMap((GlobPair("block.*.conv**", "b_*/Conv**_0"), GlobPair("block.9.*", "nine*")))
    assert names.names_of("block.3.conv") == ("b_3/Conv_0",)
    assert names.names_of("block.3.conv.x.y") == ("b_3/Conv.x.y_0",)
    assert names.names_of("block.3.4.conv") == ()
    # the last pair that is about an address decides, and one without stars before all others
    assert names.names_of("block.9.conv") == ("nineconv",)


def test_stars_must_be_as_many() -> None:
    assert GlobPair("a", "(Unnamed Layer* 3)").problem == ""
    assert "2 stars" in GlobPair("a.*.*", "a").problem
    assert "more than" in GlobPair("*" + ".*" * 6, "*" + ".*" * 6).problem


def test_places_count_where_the_numbers_agree() -> None:
    wanted = [Wanted("a"), Wanted("c")]
    places = NameMap(by_position=True)
    found = pair(wanted, table("x", "y", "z"), places, [("a", "c"), ("a", "b", "c")])
    assert [(p.status, p.entry.name) for p in found] == [("guessed", "x"), ("guessed", "z")]
    left = pair(wanted, table("x"), places, [("a", "c"), ("a", "b", "c")])
    assert {p.status for p in left} == {"missing"}
    assert left[0].note == "the table has 1 tensors, and the model 2, 3"


def test_maps_in_files() -> None:
    columns = parse(texts.COLUMNS, "m")
    assert columns.names_of("stem.conv") == ("conv1_Relu",)
    assert columns.names_of("block.2.conv") == ("block_2_Conv",)
    assert columns.names_of("head") == ("(Unnamed Layer* 82) [Shuffle]_output",)
    plain = parse(texts.PLAIN_JSON, "m")
    assert plain.names_of("head") == ("fc", "logits")
    own = parse(texts.OWN, "m")
    assert own.names_of("head") == ("logits",)


@pytest.mark.parametrize(
    "text", ["alone\n", "a.* b\n", '{"a": 3}', '{"a": [3]}', "{", '{"a*": "b"}']
)
def test_what_is_no_map(text: str) -> None:
    with pytest.raises(QflowError, match="QF333"):
        parse(text, "m")
