"""What reading a text costs, counted: a clock would measure the machine."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lark.lexer import BasicLexer
from lark.parsers.lalr_interactive_parser import InteractiveParser
from lark.parsers.lalr_parser_state import ParserState

from qflow import registry
from qflow.lang.brackets import Nesting

COUNTED: tuple[tuple[Any, str], ...] = (
    (BasicLexer, "next_token"),
    (ParserState, "feed_token"),
    (InteractiveParser, "accepts"),
    (Nesting, "feed"),
    (registry, "nearest"),
)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often each of the steps is taken that make up reading."""
    count: Counter[str] = Counter()

    def watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*given: Any, **named: Any) -> Any:
            count[name] += 1
            return call(*given, **named)

        return counting

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in COUNTED:
            patch.setattr(owner, name, watched(name, getattr(owner, name)))
        yield count


def steps(work: Callable[[], object]) -> int:
    with counted() as count:
        work()
    return count.total()


def most_memory(work: Callable[[], object]) -> int:
    """Bytes of Python objects alive at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
