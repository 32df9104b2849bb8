"""The markdown renderer: a table that shows what files say and never does what they say."""

import html
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.diagnostics import Diagnostic, Span
from qflow.diagnostics.renderers.markdown import MOST_ROWS, Markdown, fenced, inline

AT = Span("x.qf", 2, 3, 2, 8)
FOUND = Diagnostic("QF201", "this matches no `module`", at=AT, label="nothing", help="mend it")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_table_and_the_excerpts_below() -> None:
    warned = Diagnostic("QF504", "lowered", at=AT, severity="warning")
    text = Markdown().render([warned, FOUND], {"x.qf": "one\n  match two\n"})
    assert text == (
        "### qflow: 1 error, 1 warning\n"
        "\n"
        "| | id | where | what |\n"
        "|---|---|---|---|\n"
        "| error | QF201 | <code>x.qf&#58;2</code> | this matches no <code>module</code> |\n"
        "| warning | QF504 | <code>x.qf&#58;2</code> | lowered |\n"
        "\n"
        "<details><summary>QF201 at <code>x.qf&#58;2</code>: "
        "this matches no <code>module</code></summary>\n"
        "\n"
        "```text\n"
        "error[QF201]: this matches no `module`\n"
        " --> x.qf:2:3\n"
        "  |\n"
        "2 |   match two\n"
        "  |   ^^^^^ nothing\n"
        "  = help: mend it\n"
        "```\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary>QF504 at <code>x.qf&#58;2</code>: lowered</summary>\n"
        "\n"
        "```text\n"
        "warning[QF504]: lowered\n"
        " --> x.qf:2:3\n"
        "  |\n"
        "2 |   match two\n"
        "  |   ^^^^^\n"
        "```\n"
        "\n"
        "</details>\n"
        "\n"
    )


def test_nothing_found_says_so() -> None:
    assert Markdown().render([], {}) == "### qflow: nothing to say\n\n"


def test_what_is_allowed_is_folded_away_with_its_reason() -> None:
    text = Markdown().render([Diagnostic("QF205", "twice", at=AT, allowed="for `a|b`")], {})
    assert text.startswith("### qflow: nothing to say\n")
    assert "1 finding is allowed by comments" in text
    assert "| twice | for <code>a&#124;b</code> |" in text


def test_long_lists_end() -> None:
    long = ("y" * 2000,)
    found = [Diagnostic("QF201", f"number {n}", at=AT, notes=long) for n in range(5 * MOST_ROWS)]
    text = Markdown().render(found, {"x.qf": "one\ntwo"})
    assert f"and {4 * MOST_ROWS} more" in text
    assert "More excerpts are in the output" in text
    assert len(text) < 65_536


@pytest.mark.parametrize(
    "text",
    [
        "[click](https://evil.example)",
        "![x](https://evil.example/a.png)",
        "<img src=x onerror=alert(1)>",
        "a | b | c",
        "*bold* _it_ ~~no~~ $x$",
        "see #12 and @somebody",
        "https://evil.example www.evil.example",
        "\\| \\` &lt;",
        "</summary></details><script>",
    ],
)
def test_no_text_is_markup(text: str) -> None:
    shown = inline(text)
    assert not set(shown) & set("<>[]|*_~$\\`@!:{}")
    assert "#" not in shown.replace("&#", "")
    assert "www." not in shown
    # what a reader sees is the text, but for what breaks a link
    assert html.unescape(shown).replace("\u200b", "") == text


def test_a_mention_is_no_mention() -> None:
    assert "@\u200bsomebody" in html.unescape(inline("@somebody"))
    # in code there are none
    assert inline("`@somebody`") == "<code>&#64;somebody</code>"


TAGS = re.compile(r"</?(?:code|details|summary)>")


@settings(max_examples=50)
@given(st.text(), st.text(), st.text())
def test_any_text_keeps_the_form(message: str, name: str, source: str) -> None:
    found = Diagnostic("QF201", message, at=Span(f"a/{name}", 1, 1, 1, 2), help=source)
    outside: list[str] = []
    fence = ""
    for line in Markdown().render([found], {f"a/{name}": source}).split("\n"):
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line.removesuffix("text")
        else:
            outside.append(line)
    assert not fence
    rows = [line for line in outside if line.startswith("|")]
    assert [row.count("|") for row in rows] == [5, 5, 5]
    assert len(outside) == 12
    for line in outside:
        assert "<" not in TAGS.sub("", line)


@settings(max_examples=50)
@given(st.text(alphabet="`a\n "))
def test_a_fence_is_longer_than_what_it_holds(text: str) -> None:
    first, *inner, last = fenced(text).split("\n")
    assert first == f"{last}text"
    assert not [line for line in inner if line.strip().startswith(last)]
