"""qflow fmt -: standard input in, its canonical form out, and nothing else on standard output."""

import io
import sys
from pathlib import Path

import pytest

from qflow.cli import main

MESSY = b"qflow 1\nmodel m {\n a=1 # why\n}"
TIDY = b"qflow 1\nmodel m {\n  a = 1  # why\n}\n"


@pytest.fixture
def fmt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]):
    """Runs `fmt` on bytes; gives its answer, what it wrote and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(given: bytes, *arguments: str) -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8"))
        answer = main(["fmt", *arguments])
        sys.stdout.flush()
        assert list(tmp_path.iterdir()) == []
        return answer, out.getvalue(), capfdbinary.readouterr().err.decode()

    return run


@pytest.mark.parametrize("given", [MESSY, TIDY])
def test_the_canonical_form_and_nothing_else(fmt, given: bytes) -> None:
    assert fmt(given, "-") == (0, TIDY, "")


def test_line_ends_stay_and_a_byte_order_mark_goes(fmt) -> None:
    windows = b"\xef\xbb\xbf" + MESSY.replace(b"\n", b"\r\n")
    assert fmt(windows, "-") == (0, TIDY.replace(b"\n", b"\r\n"), "")


def test_check_answers_and_writes_nothing(fmt) -> None:
    assert fmt(MESSY, "--check", "-") == (1, b"", "would format <stdin>\n")
    assert fmt(TIDY, "--check", "-") == (0, b"", "")


def test_diff_shows_the_change(fmt) -> None:
    answer, out, _ = fmt(MESSY, "--diff", "-")
    assert answer == 0
    assert out.startswith(b"--- <stdin>\n+++ <stdin> (formatted)\n")
    assert b"- a=1 # why\n+  a = 1  # why\n" in out
    assert fmt(MESSY, "--diff", "--check", "-")[0] == 1
    assert fmt(TIDY, "--diff", "--check", "-") == (0, b"", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"qflow 1\nmodel m { a: 1 }\n", "<stdin>:2:12"),
        (b"qflow 1\nmodel m { \x00 }\n", "U+0000"),
        (b"qflow 1\n\xff\n", "is not UTF-8"),
        (b"", "edition"),
    ],
)
def test_mistakes_are_reported_and_nothing_is_written(fmt, given: bytes, said: str) -> None:
    answer, out, err = fmt(given, "-")
    assert (answer, out) == (2, b"")
    assert said in err


def test_it_stands_alone(fmt) -> None:
    answer, out, err = fmt(TIDY, "-", "other.qf")
    assert (answer, out) == (2, b"")
    assert "stands alone" in err
