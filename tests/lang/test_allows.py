"""allows: what a `# qf:` comment says, in any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.lang.allows import Allow, has_comments, read, removed


def the(text: str, path: str = "x.qf") -> Allow:
    (one,) = read(path, text).comments
    return one


@pytest.mark.parametrize(
    ("comment", "codes", "reason"),
    [
        ("# qf: allow QF205 so it is", ["QF205"], "so it is"),
        ("#qf:allow QF205 so it is", ["QF205"], "so it is"),
        ("## qf : allow QF205: so it is  ", ["QF205"], "so it is"),
        ("# qf: allow QF205 - so it is", ["QF205"], "so it is"),
        ("# qf: allow QF205, QF203 so it is", ["QF205", "QF203"], "so it is"),
        ("# qf: allow QF205,qf203 so it is", ["QF205", "QF203"], "so it is"),
        ("# qf: allow QF205 QF203 so it is", ["QF205", "QF203"], "so it is"),
        ("# qf: allow QF205 as QF203 says", ["QF205"], "as QF203 says"),
        ("# qf: allow QF205", ["QF205"], ""),
        ("# qf: allow QF205 ...", ["QF205"], ""),
        ("# qf: allow QF205x so", [], ""),
        ("# qf: allow", [], ""),
        ("# qf: allows QF205 so it is", [], ""),
        ("# qf: allow-files QF205 so it is", [], ""),
    ],
)
def test_what_a_comment_says(comment: str, codes: list[str], reason: str) -> None:
    found = the(f"qflow 1\n{comment}\n")
    assert [n.code for n in found.named] == codes
    assert found.reason == reason


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a # qf: allow QF205 so it is\nb", 1),
        ("# qf: allow QF205 so it is\nb", 2),
        ("  # qf: allow QF205 so it is\n\n  # why\n  b", 4),
        ("a\n# qf: allow QF205 so it is", 2),
        ("a # qf: allow-file QF205 so it is", None),
    ],
)
def test_the_line_it_is_about(text: str, line: int | None) -> None:
    assert the(text).line == line


def test_the_places_of_ids() -> None:
    text = "  b  # qf: allow QF205,  qf7 so it is"
    for named in the(text).named:
        assert text[named.span.column - 1 : named.span.end_column - 1].upper() == named.code


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("x.qf", 'a = "# qf: allow QF205 so it is"', 0),
        ("x.py", 'a = "# qf: allow QF205 so it is"', 0),
        ("x.py", 'a = """\n# qf: allow QF205 so it is\n"""', 0),
        ("x.py", "a = 1  # qf: allow QF205 so it is", 1),
        ("x.py", "a = (  # qf: allow QF205 so it is", 1),
        ("x.yaml", "a: b # qf: allow QF205 so it is", 1),
        ("x.yaml", "a: b#c # qf: allow QF205 so it is\n", 1),
        ("x.qf.lock", "# qf: allow QF205 so it is", 0),
        ("x", "# qf: allow QF205 so it is", 0),
    ],
)
def test_kinds_of_files(path: str, text: str, count: int) -> None:
    assert len(read(path, text).comments) == count
    assert has_comments(path) == path.endswith((".qf", ".py", ".yaml"))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a  # qf: allow QF205 so it is", ""),
        ("# qf: allow-file QF205, QF203 so it is", "# qf: allow-file QF203 so it is"),
    ],
)
def test_without_the_first(text: str, after: str) -> None:
    found = the(text)
    assert removed(found, found.named[:1], text)[1] == after


@settings(max_examples=60)
@given(st.sampled_from(["qf", "py", "yaml"]), st.lists(st.sampled_from([
    "# qf: allow QF205 so\n", "#", "qf:", '"', '"""', "(", "\n", "\x00", "\x0c", "\t", "a", "é", " ", "\\", "{"
])))  # fmt: skip
def test_any_text(kind: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    rows = text.split("\n")
    for allow in read(f"x.{kind}", text).comments:
        said = rows[allow.span.line - 1][allow.span.column - 1 : allow.span.end_column - 1]
        assert said.startswith("#")
        removed(allow, allow.named, text)
