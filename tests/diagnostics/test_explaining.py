"""The form of a page: title, paragraphs, fenced blocks, and what is refused."""

import pytest

from qflow.diagnostics import explaining
from qflow.diagnostics.codes import CODES
from qflow.diagnostics.explaining import Block, parse

PAGE = """# QF210: a title

First paragraph,
in two lines.

Second.

```qf fail
a
```

```lock mended small
```

```python mended nets/data.py
b = 1

c = 2
```
"""


def test_a_page() -> None:
    page = parse("QF210", PAGE)
    assert page.title == "a title"
    assert page.text == "First paragraph,\nin two lines.\n\nSecond."
    assert page.no_example == ""
    fail, lock, mended = page.blocks
    assert fail == Block("qf", "fail", (), "a\n")
    assert lock == Block("lock", "mended", ("small",), "")
    assert mended == Block("python", "mended", ("nets/data.py",), "b = 1\n\nc = 2\n")
    assert page.examples == (fail, mended)


def test_why_there_is_no_example() -> None:
    text = "# QF210: a title\n\nText.\n\nWhy no example: it needs\na card.\n"
    page = parse("QF210", text)
    assert (page.text, page.no_example) == ("Text.", "it needs a card.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# QF211: a title\n", "begins with `# QF211: a title`"),
        ("", "begins with ``"),
        ("# QF210: a title\n\n```qf fail\na\n", "never closed"),
    ],
)
def test_what_is_no_page(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse("QF210", text)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (Block("qf", "fail", (), ""), "Gives it:"),
        (Block("script", "mended", (), ""), "Mended, as `qflow check` reads it:"),
        (Block("python", "fail", ("unset",), ""), "Gives it, in Python, without `set_march`:"),
        (
            Block("python", "fail", ("a/b.py",), ""),
            "Gives it, in `a/b.py`, when the pipeline is run:",
        ),
        (
            Block("qf", "fail", ("run", "without:onnx"), ""),
            "Gives it, when it is run, where `onnx` is not installed:",
        ),
        (Block("qf", "mended", ("trace",), ""), "Mended, when it is traced:"),
    ],
)
def test_headings(block: Block, says: str) -> None:
    assert explaining.heading(block) == says


def test_every_id_is_in_a_family() -> None:
    families = explaining.by_family()
    assert sorted(c for codes in families.values() for c in codes) == sorted(CODES)
    assert all(families.values())


def test_an_id_without_a_page() -> None:
    assert explaining.page("QF000") is None
