"""Every id has a page, its failing example gives the id, and its mended example does not."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from qflow import loops, registry
from qflow.diagnostics import explaining
from qflow.diagnostics.codes import CODES
from qflow.diagnostics.explaining import Page
from qflow.functional import _images
from qflow.march import current
from qflow.quantization import fusing_modes
from tests.diagnostics.examples import given, whole

MOST_WITHOUT_EXAMPLE = 7
ABOUT_OTHERS = ("QF192",)
"""Ids about another finding, which is given along with them."""
PAGES = {code: page for code in CODES if (page := explaining.page(code))}
EXAMPLES = [
    pytest.param(page, n, id=f"{code}-{block.role}-{n}")
    for code, page in PAGES.items()
    for n, block in enumerate(page.examples)
]


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, and nothing left set for the tests behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(current, "_set", None)
    # compiling loops takes longer than all examples
    monkeypatch.setattr(loops, "is_there", lambda device=None: False)
    # a file written twice within a second has the same time stamp as its cached byte code
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    # what is said once in a process
    _images.say.cache_clear()
    mode = fusing_modes.get_qat_mode()
    with torch.random.fork_rng():
        yield
    fusing_modes.set_qat_mode(mode)


@pytest.mark.parametrize(("page", "number"), EXAMPLES)
def test_example(page: Page, number: int) -> None:
    block = page.examples[number]
    found = given(page, block)
    if block.role == "fail":
        assert page.code in found.ids
        if page.code not in ABOUT_OTHERS:
            # one cause is said once
            assert {e for e in found.errors if e in CODES} <= {page.code}
    else:
        assert page.code not in found.ids
        assert not found.errors


@pytest.mark.parametrize("code", CODES)
def test_every_id_has_a_page(code: str) -> None:
    assert code in PAGES, f"write qflow/diagnostics/explained/{code}.md"
    page = PAGES[code]
    assert page.title == CODES[code]
    assert 1 <= len(page.text.splitlines()) <= 12
    assert len(page.text) >= 80
    roles = {b.role for b in page.examples}
    assert roles == (set() if page.no_example else {"fail", "mended"})


def test_few_ids_have_no_example() -> None:
    without = [code for code, page in PAGES.items() if page.no_example]
    assert len(without) <= MOST_WITHOUT_EXAMPLE, without


def test_no_page_is_left_over() -> None:
    pages = {p.stem for p in explaining.FOLDER.glob("*.md")} - {"frame"}
    assert pages <= set(CODES)


def test_an_excerpt_takes_the_place_of_its_blocks() -> None:
    frame = explaining.frame_of("qf")
    text = whole('quantize {\n  default use w16a16\n}\n\ndata val { loader = "a:b" }\n', frame)
    assert text.count("quantize {") == text.count("data val") == text.count("schedule {") == 1
    assert "w16a16" in text
    assert whole("qflow 1\n", frame) == "qflow 1\n"


@pytest.mark.parametrize("code", [c for c in CODES if c.startswith("QF7")])
def test_pitfalls_are_told_alike(code: str) -> None:
    """The page of a pitfall and the docstring of its rule, which is on another page of the docs."""
    said = inspect.getdoc(registry.load("lint", code.lower()))
    assert said is not None
    assert PAGES[code].text.split() == said.partition("Anti-pattern:")[0].split()
