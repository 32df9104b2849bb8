"""code_parts: what is told per class and function, and what is no difference."""

import pytest

from qflow.plan.code_parts import REST, parts

CODE = b'''"""A model."""
import torch


class A:
    x = 1


@decorator
def f():
    pass


LIMIT = 3
'''


def test_names() -> None:
    found = parts(CODE)
    assert list(found) == [REST, "A", "f"]
    assert len(set(found.values())) == 3


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        (b"x = 1", b"x = 2", {"A"}),
        (b"@decorator", b"@other", {"f"}),
        (b"pass", b"pass  # why", {"f"}),
        (b"LIMIT = 3", b"LIMIT = 4", {REST}),
        (b"import torch", b"import torch\nimport numpy", {REST}),
        (b"\n\n\nclass", b"\n\n# a comment\n\nclass", set()),
        (b"\n", b"\r\n", set()),
        (b'"""A', b'\xef\xbb\xbf"""A', set()),
    ],
)
def test_a_change_changes_its_part(old: bytes, new: bytes, changed: set[str]) -> None:
    assert old in CODE
    before, after = parts(CODE), parts(CODE.replace(old, new))
    assert {n for n in before if before[n] != after[n]} == changed


def test_two_of_one_name_are_one_part() -> None:
    one, other = parts(b"def f(): 1\ndef f(): 2\n"), parts(b"def f(): 2\ndef f(): 1\n")
    assert set(one) == {"f"}
    assert one != other


@pytest.mark.parametrize("raw", [b"def", b"\x00", b"\xff\xfe", b"(" * 100_000])
def test_what_is_no_python_is_told_as_a_whole(raw: bytes) -> None:
    assert list(parts(raw)) == [""]


def test_a_file_that_warns_is_quiet() -> None:
    assert list(parts(b"x = '\\d'\n")) == [REST]


def test_nothing() -> None:
    assert parts(b"") == {}
