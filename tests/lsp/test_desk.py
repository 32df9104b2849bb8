"""The desk: changes are gathered, the loop never waits, a mistake of ours answers once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from qflow.lsp import desk as desks
from qflow.lsp.analysis import Analysis, analyse
from qflow.lsp.desk import Desk, Open
from qflow.lsp.text import Text

PATH = Path("/nowhere/x.qf")
ONE = "qflow 1\nparam a: int = 1\n"


def run(session: Callable[[Desk, list[int]], Awaitable[None]]) -> None:
    async def whole() -> None:
        published: list[int] = []

        def publish(file: Open, known: Analysis) -> None:
            published.append(known.version)

        desk = Desk(publish, 0.0)
        try:
            await asyncio.wait_for(session(desk, published), 60)
        finally:
            desk.stop()

    asyncio.run(whole())


def test_of_changes_that_follow_each_other_only_the_last_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    def counting(path: Path, version: int, *rest: Any) -> Analysis:
        looked.append(version)
        return analyse(path, version, *rest)

    monkeypatch.setattr(desks, "analyse", counting)

    async def session(desk: Desk, published: list[int]) -> None:
        desk.open("u", PATH, 1, Text(ONE))
        for version in range(2, 50):
            desk.change("u", version, Text(ONE + "# x\n" * version))
        known = await desk.known("u")
        assert known is not None
        assert known.version == 49
        assert looked == published == [49]

    run(session)


def test_the_loop_answers_while_a_file_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(path: Path, version: int, *rest: Any) -> Analysis:
        if version == 2:
            begun.set()
            assert go_on.wait(60)
        return analyse(path, version, *rest)

    monkeypatch.setattr(desks, "analyse", slow)

    async def session(desk: Desk, published: list[int]) -> None:
        desk.open("u", PATH, 1, Text(ONE))
        await desk.known("u")
        desk.change("u", 2, Text(ONE + "param b: int 2\n"))
        assert await asyncio.to_thread(begun.wait, 60)
        quick = await desk.text_of("u")
        assert quick is not None
        assert (quick.version, quick.parses) == (2, False)
        assert published == [1]
        # a newer version makes what is under way worthless
        desk.change("u", 3, Text(ONE))
        go_on.set()
        known = await desk.known("u")
        assert known is not None
        assert known.version == 3
        assert published == [1, 3]

    run(session)


def test_a_mistake_of_ours_is_raised_and_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*given: Any) -> Analysis:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(desks, "analyse", broken)

    async def session(desk: Desk, published: list[int]) -> None:
        desk.open("u", PATH, 1, Text(ONE))
        with pytest.raises(ZeroDivisionError, match="ours"):
            await desk.known("u")
        assert published == []

    run(session)


def test_a_closed_file_is_forgotten() -> None:
    async def session(desk: Desk, published: list[int]) -> None:
        desk.open("u", PATH, 1, Text(ONE))
        desk.close("u")
        assert await desk.known("u") is None
        assert await desk.text_of("u") is None
        assert desk.close("u") is None
        assert published == []

    run(session)
