"""The grammar has no conflict, and its cache never decides anything."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import lark
import pytest

from qflow import resources
from qflow.lang import grammar
from qflow.lang.parse import parse

TEXT = "qflow 1\nmodel m { a = {b: [1, 2.5]} }\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar.parser.cache_clear()
    yield tmp_path / "qflow"
    grammar.parser.cache_clear()


def source() -> str:
    return (resources.folder("grammar") / "qflow.lark").read_text(encoding="utf-8")


@pytest.mark.parametrize("start", ["start", ["edition", "item"]])
def test_strict_mode_finds_no_conflict(start: str | list[str]) -> None:
    lark.Lark(source(), parser="lalr", start=start, strict=True)


def test_strict_mode_would_find_one() -> None:
    broken = source().replace("?item: use", '?item: "use" STRING -> other | use')
    with pytest.raises(lark.exceptions.LarkError):
        lark.Lark(broken, parser="lalr", start="start", strict=True)


def test_tables_are_cached_as_plain_data(own_cache: Path) -> None:
    assert parse(TEXT, "g.qf").diagnostics == ()
    (file,) = own_cache.iterdir()
    digest, tables = file.read_text(encoding="utf-8").split("\n", 1)
    assert len(digest) == 64
    assert set(json.loads(tables)) == {"data", "memo"}


def test_the_cache_is_used(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parse(TEXT, "g.qf")
    grammar.parser.cache_clear()
    monkeypatch.setattr(grammar, "build", lambda text: pytest.fail("built again"))
    assert parse(TEXT, "g.qf") == first


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"0" * 64 + b"\n{}", b"x\n" * 9])
def test_a_damaged_cache_is_built_again(own_cache: Path, content: bytes) -> None:
    parse(TEXT, "g.qf")
    (file,) = own_cache.iterdir()
    file.write_bytes(content)
    assert grammar._read(file) is None
    grammar.parser.cache_clear()
    assert parse(TEXT, "g.qf").diagnostics == ()
    assert grammar._read(file)


def test_without_a_writable_cache_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_the_way))
    assert parse(TEXT, "g.qf").diagnostics == ()
    assert in_the_way.read_text() == "no folder"


def test_a_relative_cache_home_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert parse(TEXT, "g.qf").diagnostics == ()
    assert list(tmp_path.iterdir()) == []


def test_another_grammar_has_another_file(own_cache: Path) -> None:
    first = grammar._cache_path("a")
    second = grammar._cache_path("b")
    assert first != second
    assert first is not None
    assert first.parent == own_cache


def test_the_cache_is_the_users_own(own_cache: Path) -> None:
    grammar.parser()
    (file,) = own_cache.iterdir()
    assert not stat.S_IMODE(file.stat().st_mode) & 0o022
