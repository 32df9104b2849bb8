"""unfused: what looks like a pattern and was left apart, with the reason."""

from dataclasses import replace

import pytest

from qflow.plan.fusion import find, unfused
from qflow.plan.inventory import Inventory
from qflow.plan.unfused import Lookalike
from tests.compile.models import inventory


def report(model: Inventory, dtype: str = "int8", **more) -> list[tuple[tuple[str, ...], str]]:
    found = find(model, ("int8",), lambda _: dtype)
    return [(u.members, u.why) for u in unfused(model, found, ("int8",), lambda _: dtype, **more)]


def net(*lines: str) -> Inventory:
    return inventory("\n".join(("x input", *lines)))


def shared(model: Inventory, address: str) -> Inventory:
    modules = tuple(replace(m, calls=2) if m.address == address else m for m in model.modules)
    return Inventory("m", modules, model.edges)


def test_what_is_fused_is_not_listed() -> None:
    model = net("c conv2d x", "b batch_norm c", "d conv2d x", "a add b d", "r relu a", "p relu x")
    assert report(model) == []


@pytest.mark.parametrize(
    ("lines", "members", "why"),
    [
        (("c conv2d x", "r relu c", "a add c x"), ("c", "r"), "several readers: `r`, `a`"),
        (("c conv2d x", "a add c c"), ("c", "a"), "`a` reads `c` twice"),
    ],
)
def test_readers(lines: tuple[str, ...], members: tuple[str, ...], why: str) -> None:
    found = report(net(*lines))
    assert found[0][0] == members
    assert why in found[0][1]


def test_a_shared_convolution_takes_what_follows_along() -> None:
    model = shared(net("c conv2d x", "b batch_norm c", "r relu b"), "c")
    assert report(model) == [(("c", "b", "r"), "`c` is shared: it runs 2 times")]


def test_an_add_at_another_dtype() -> None:
    model = net("c conv2d x", "a add c x", "r relu a")
    assert report(model) == []
    (only,) = report(model, "int16")
    assert only[0] == ("c", "a", "r")
    assert only[1] == "the march fuses an add at int8, and this one is int16"


def test_a_batch_norm_behind_a_linear_of_rank_3() -> None:
    model = net("l linear x", "b batch_norm l")
    modules = tuple(replace(m, shape=(2, 3, 4)) for m in model.modules)
    (only,) = report(Inventory("m", modules, model.edges))
    assert "rank 3 it normalizes another axis" in only[1]


def test_a_class_of_the_users_own() -> None:
    model = net("c conv2d x", "b unknown c", "r relu b")
    assert report(model) == []
    strange = {"b": Lookalike("bn", "`Mine` is a subclass of `BatchNorm2d`")}
    assert report(model, lookalikes=strange) == [
        (("c", "b", "r"), "`Mine` is a subclass of `BatchNorm2d`")
    ]
