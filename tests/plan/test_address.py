"""Globs over dotted segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qflow.plan.address import matches, nearest


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a.b", ["a.b"], ["a", "a.b.c", "a_b", "axb"]),
        ("layers.1.*", ["layers.1.q_proj"], ["layers.10.q_proj", "layers.1", "layers.1.a.b"]),
        ("layer*.conv", ["layer1.conv", "layer.conv"], ["layer1.a.conv", "layer1"]),
        ("**", ["a", "a.b", "a.b.c"], [""]),
        ("a.**", ["a", "a.b", "a.b.c"], ["ab", "b.a"]),
        ("**.bn", ["bn", "a.bn", "a.b.bn"], ["a.bnx", "bn.a", "xbn"]),
        ("a.**.c", ["a.c", "a.b.c", "a.b.b.c"], ["a", "c", "ac"]),
        ("**.b.**", ["b", "a.b", "b.c", "a.b.c"], ["a.c", "ab"]),
        ("*._generated_*_0", ["head._generated_add_0"], ["head._generated_add_1"]),
        ("*", ["a"], ["a.b", ""]),
        ("a+b", ["a+b"], ["aab"]),
    ],
)
def test_what_a_glob_covers(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [a for a in yes if not matches(pattern, a)] == []
    assert [a for a in no if matches(pattern, a)] == []


addresses = st.lists(st.text("ab_1", min_size=1, max_size=3), min_size=1, max_size=4).map(".".join)


@given(addresses)
def test_an_address_covers_itself_and_double_star_everything(address: str) -> None:
    assert matches(address, address)
    assert matches("**", address)
    assert matches(f"**.{address}", address)
    assert matches(f"{address}.**", address)


@given(addresses, addresses)
def test_a_prefix_covers_what_is_below(parent: str, child: str) -> None:
    assert matches(f"{parent}.**", f"{parent}.{child}")
    assert matches(f"{parent}.*", f"{parent}.{child}") == ("." not in child)


def test_nearest_names_addresses_or_parents() -> None:
    known = ["neck.fpn.0", "neck.fpn.1", "neck.fpn.2", "stem.conv"]
    assert set(nearest("neck.fpn.3", known)) == {"neck.fpn.0", "neck.fpn.1", "neck.fpn.2"}
    assert nearest("stme.**", known) == ("stem.**",)
    assert nearest("zzz", known) == ()
