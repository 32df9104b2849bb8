"""Reading takes steps and memory in proportion to the text, whatever is wrong with it."""

from collections.abc import Callable

import pytest

from qflow.lang.attempt import MOST_MISTAKES_PER_ITEM
from qflow.lang.format import format_text
from qflow.lang.parse import MOST_MISTAKES, parse
from tests.lang.work import counted, most_memory, steps

LINE = " alpha.beta = {image: float32[1, 3]}  # why\n"


def one_block(lines: int, mistakes: int) -> str:
    """A block whose mistakes are spread over all of it."""
    wrong = {lines * (n + 1) // (mistakes + 1) for n in range(mistakes)}
    return (
        "qflow 1\nmodel m {\n"
        + "".join(" a: 1\n" if n in wrong else LINE for n in range(lines))
        + "}\n"
    )


def stages(lines: int) -> str:
    stage = 'stage s on d {\n state "**" = qat\n state "x" qat\n}\n'
    return f"qflow 1\nschedule {{\n{stage * (lines // 4)}}}\n"


TEXTS: dict[str, Callable[[int], str]] = {
    "nothing wrong": lambda n: one_block(n, 0),
    "one mistake": lambda n: one_block(n, 1),
    "many mistakes": lambda n: one_block(n, 19),
    "mistakes on one line": lambda n: "qflow 1\nmodel m { " + "a = 1; " * n + "b: 2; " * 19 + "}\n",
    "stages": stages,
    "items": lambda n: "qflow 1\n" + "param a: int 3\n" * n,
    "no items": lambda n: "qflow 1\n" + "use 'a'\nfoo\n" * n,
    "open blocks": lambda n: "qflow 1\n" + "model m {\n" * 20 + LINE * n,
    "an open string": lambda n: 'qflow 1\nmodel m {\n a = "x\n' + LINE * n,
    "closing brackets": lambda n: "qflow 1\nmodel m {\n" + ")]\n" * n + "}\n",
    "line ends": lambda n: "qflow 1\r" + "\r\n\n\r" * n + "model m {" + "\r\n\n" * n + "}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_twice_the_text_is_at_most_twice_the_work(text: Callable[[int], str]) -> None:
    parse(text(10), "x.qf")  # what is done once
    small, large = (steps(lambda n=n: parse(text(n), "x.qf")) for n in (150, 300))
    assert large <= 2.2 * small + 400


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_twice_the_text_is_at_most_twice_the_memory(text: Callable[[int], str]) -> None:
    parse(text(10), "x.qf")
    small, large = (most_memory(lambda n=n: parse(text(n), "x.qf")) for n in (60, 120))
    assert large <= 2.3 * small + 50_000


def test_mistakes_cost_no_more_than_reading_once_more() -> None:
    right = steps(lambda: parse(one_block(300, 0), "x.qf"))
    for mistakes in (1, 5, 19):
        # as far as the first mistake, then all of it, then all of it without what is wrong
        assert steps(lambda m=mistakes: parse(one_block(300, m), "x.qf")) <= 3.3 * right + 400


def test_what_could_have_followed_is_asked_once_per_mistake() -> None:
    with counted() as count:
        found = parse(one_block(300, 7), "x.qf").diagnostics
    assert len(found) == count["accepts"] == 7


def test_mistakes_are_counted_up_to_a_point() -> None:
    in_one = parse(one_block(100, 50), "x.qf").diagnostics
    assert len(in_one) == MOST_MISTAKES_PER_ITEM
    in_all = parse(TEXTS["items"](500), "x.qf").diagnostics
    assert len(in_all) == MOST_MISTAKES + 1
    assert in_all[-1].message == "more than 200 mistakes; nothing was read from here on"
    assert in_all[-1].at is not None
    assert in_all[-1].at.line == MOST_MISTAKES + 2


def test_a_megabyte_with_mistakes_is_read() -> None:
    text = "qflow 1\n" + "param a: int = 3\n" * 500 + one_block(400, 19)[8:]
    text += "# " + "x" * 1_000_000 + "\n" + "\n" * 500_000
    assert len(text) > 1_500_000
    assert len(parse(text, "x.qf").diagnostics) == 19


def test_formatting_many_comments_is_linear() -> None:
    format_text(one_block(10, 0), "x.qf")
    small, large = (steps(lambda n=n: format_text(one_block(n, 0), "x.qf")) for n in (60, 120))
    assert large <= 2.2 * small + 400
