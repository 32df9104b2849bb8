"""sharing: which addresses lie on one grid and who owns it."""

from qflow.compile import facts
from qflow.plan import op_facts
from qflow.plan.fusion import find
from qflow.plan.sharing import SHARING, groups
from tests.compile.models import MODELS, inventory


def grouped(*lines: str) -> set[tuple[str, ...]]:
    model = inventory("\n".join(("x input", "q quant x", *lines)))
    return set(groups(model, find(model, ("int8",), lambda address: "int8")))


def test_digits() -> None:
    model = inventory(MODELS["digits"])
    fusions = find(model, ("int8",), lambda address: "int8")
    assert set(groups(model, fusions)) == {("stem.conv", "pool"), ("average", "flatten")}


def test_the_producer_owns_a_chain() -> None:
    assert grouped("p max_pool2d q", "f flatten p", "r reshape f") == {("q", "p", "f", "r")}


def test_a_cat_owns_its_inputs() -> None:
    assert grouped("c conv2d q", "r relu c", "d conv2d q", "k cat r d") == {("k", "c", "d")}


def test_of_several_cats_the_last_owns() -> None:
    found = grouped("c conv2d q", "k cat c q", "p permute k", "l cat p c")
    assert found == {("l", "q", "c", "k", "p")}


def test_relu_add_and_average_are_no_group() -> None:
    assert grouped("r relu q", "s relu6 r", "a add r s", "v avg_pool2d a") == set()


def test_float_tensors_have_no_grid() -> None:
    assert grouped("d dequant q", "f flatten d", "g flatten x") == set()


def test_operators_agree_with_their_files() -> None:
    assert {op for op in facts.operators() if op_facts.shares_scale(op)} == SHARING
