"""Edits of findings, made as far as nothing gets worse."""

from pathlib import Path

import pytest

from qflow.diagnostics import Diagnostic
from qflow.lang.sources import DISK, Overlay
from qflow.lint.mending import Mended, mend
from tests.cli.pipeline import copy_case
from tests.lint.test_one_cause import GOOD


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_case("int8", tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path("x.qf")


def mended(path: Path, text: str) -> Mended:
    return mend(path, {}, sources=Overlay(DISK, {path: text}))


def codes(found: tuple[Diagnostic, ...]) -> list[str]:
    return [d.code for d in found]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data val  ", "data vla  "),
        ("use careful", "use carefull"),
        ("= percentile", "= percentil"),
        ("= cross_entropy", "= cross_entrop"),
        ("samples = 64", "sampels = 64"),
        ('"stem.**" use', '"stme.**" use'),
        ('"stem.**" use', "stem.** use"),
        ("unlisted = error", "unlisted: error"),
        ("{image: nchw}", "{image= nchw}"),
        ("quantize {", "quantise {"),
        ("  match ", "  macth "),
        ("qflow 1\n\n", ""),
    ],
)
def test_a_slip_is_mended(path: Path, old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    found = mended(path, text)
    assert found.findings.diagnostics == ()
    assert len(found.done) == 1
    if old != "data val  ":
        assert found.after.split() == GOOD.split()


def test_a_name_is_mended_wherever_it_is_used(path: Path) -> None:
    found = mended(path, GOOD.replace("data val  ", "data vla  "))
    assert found.after == GOOD.replace("data val  ", "data vla  ").replace("on val", "on vla")


def test_one_mistake_behind_another(path: Path) -> None:
    """What the text says is seen once it parses."""
    text = GOOD.replace("quantize {", "quantise {").replace("= percentile", "= percentil")
    text = text.replace('"stem.**" use', "stem.** use")
    found = mended(path, text)
    assert found.after == GOOD
    assert codes(found.done) == ["QF105", "QF104", "QF110"]


def test_what_cannot_be_mended_stays(path: Path) -> None:
    text = GOOD.replace("cross_entropy", "cross_entrop").replace(
        "base           = w8a8", "base = w9"
    )
    found = mended(path, text)
    assert codes(found.done) == ["QF110"]
    assert codes(found.findings.diagnostics) == ["QF110"]
    assert "w9" in found.after


def test_an_edit_that_brings_an_error_is_not_made(path: Path) -> None:
    # `heed` is one slip from `head`, whose int32 cannot be there
    text = GOOD.replace(
        "use careful\n}", 'use careful\n  match "pol" patch { out.dtype = int32 }\n}'
    )
    found = mended(path, text)
    assert found.after == text
    assert codes(found.findings.diagnostics) == ["QF201"]
    assert found.findings.diagnostics[0].edits


def test_line_ends_and_a_mark_in_front_stay(path: Path) -> None:
    raw = "\ufeff" + GOOD.replace("use careful", "use carefull").replace("\n", "\r\n")
    path.write_bytes(raw.encode())
    found = mend(path, {})
    assert found.after == "\ufeff" + GOOD.replace("\n", "\r\n")


def test_the_value_of_a_param_is_not_written_where_it_is_used(path: Path) -> None:
    text = GOOD.replace(
        'param march:  string = "nash-m" in ["nash-e", "nash-m"]', 'param mrch:   string = "generc"'
    ).replace("march    = march", "march = mrch")
    text = text.replace('"generc"', '"gnrc"').replace("mrch", "marc")
    assert mended(path, text).after == text


def test_an_allow_that_nothing_needs_is_deleted(path: Path) -> None:
    comments = (
        "  # qf: allow QF205, QF206 it was so\n",
        "  # qf: allow-file QF205 it was so\n",
    )
    for comment in comments:
        text = GOOD.replace("  match", f"{comment}  match")
        assert mended(path, text).after == GOOD
    trailing = GOOD.replace("use careful\n", "use careful   # qf: allow QF205 it was so\n")
    assert mended(path, trailing).after == GOOD


def test_only_what_is_wanted(path: Path) -> None:
    text = GOOD.replace("use careful", "use carefull").replace("samples = 64", "sampels = 64")
    found = mend(path, {}, sources=Overlay(DISK, {path: text}), wanted=lambda d: d.code == "QF112")
    assert codes(found.done) == ["QF112"]
    assert "use carefull" in found.after
