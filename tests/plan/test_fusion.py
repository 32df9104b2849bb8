"""fusion: what runs as one, and what keeps it from doing so."""

from collections.abc import Collection

import pytest

from qflow.compile import facts
from qflow.plan import op_facts
from qflow.plan.fusion import PATTERNS, WORDS, find
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Fusion
from tests.compile.models import MODELS, inventory


def fused(
    model: Inventory,
    allowed: Collection[str] = ("int8",),
    patterns: Collection[tuple[str, ...]] = PATTERNS,
) -> dict[str, Fusion]:
    return {f.at: f for f in find(model, allowed, lambda address: "int8", patterns)}


def net(*lines: str) -> Inventory:
    return inventory("\n".join(("x input", *lines)))


def test_patterns_are_those_of_the_field() -> None:
    assert len(PATTERNS) == 2 * (2 * 2 * 3 - 1)
    assert ("conv",) not in PATTERNS
    assert ("linear", "bn", "add", "relu6") in PATTERNS


def test_digits() -> None:
    found = fused(inventory(MODELS["digits"]))
    assert found["stem.conv"].pattern == ("conv", "bn", "relu")
    add = found["block._generated_add_0"]
    assert add.members == ("block.conv", "block.bn", "block._generated_add_0", "block.relu")
    assert add.residual == 1


@pytest.mark.parametrize(
    "lines",
    [
        ("c conv2d x", "b batch_norm c", "r relu b", "o add c x"),
        ("c conv2d x", "r relu c c"),
        ("c conv2d x", "o output c", "r relu c"),
        ("r relu x", "c conv2d r"),
    ],
    ids=["read elsewhere", "read twice", "returned", "wrong order"],
)
def test_not_fused(lines: tuple[str, ...]) -> None:
    assert fused(net(*lines)) == {}


def test_the_longest_beginning_is_fused() -> None:
    found = fused(net("c conv2d x", "b batch_norm c", "r relu b", "s relu r"))
    assert found["c"].members == ("c", "b", "r")
    short = fused(net("c conv2d x", "b batch_norm c", "r relu b"), patterns=[("conv", "bn")])
    assert short["c"].members == ("c", "b")


def test_the_gemm_may_be_either_operand() -> None:
    assert fused(net("c conv2d x", "a add x c"))["a"].residual == 0
    assert fused(net("c linear x", "a add c x"))["a"].residual == 1


def test_two_gemms_at_an_add_the_first_operand_joins() -> None:
    found = fused(net("d conv2d x", "b batch_norm d", "c conv2d x", "a add c b"))
    assert found["a"].members == ("c", "a")
    assert found["d"].members == ("d", "b")


def test_an_add_of_one_tensor_with_itself_or_with_a_number_stays() -> None:
    assert fused(net("c conv2d x", "a add c c")) == {}
    assert fused(net("c conv2d x", "a add c")) == {}


def test_an_add_at_another_dtype_stays() -> None:
    found = fused(inventory(MODELS["digits"]), allowed=("int16",))
    assert found["block.conv"].members == ("block.conv", "block.bn")
    assert "block._generated_add_0" not in found


def test_shared_members_are_not_fused() -> None:
    model = net("c conv2d x", "r relu c")
    for shared in ("c", "r"):
        modules = tuple(
            type(m)(m.address, m.type, m.op, m.shape, calls=2) if m.address == shared else m
            for m in model.modules
        )
        assert fused(Inventory("m", modules, model.edges)) == {}


def test_words_agree_with_the_operator_files() -> None:
    said = {op: op_facts.pattern_word(op) for op in facts.operators()}
    assert {op: word for op, word in said.items() if word} == WORDS
