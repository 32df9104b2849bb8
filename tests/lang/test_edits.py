"""Help that can be applied: the edits of a mistake mend it, and nothing else changes."""

import pytest

from qflow.lang.parse import parse
from qflow.lsp.rename import applied

MENDED = {
    "qflow 1\nmodel m { a: 1; b : 2 }\n": "qflow 1\nmodel m { a = 1; b = 2 }\n",
    "qflow 1\nmodel m { a = {b = 1} }\n": "qflow 1\nmodel m { a = {b : 1} }\n",
    "qflow 1\nquantize { match a.b.* float }\n": 'qflow 1\nquantize { match "a.b.*" float }\n',
    "qflow 1\nuse 'a b.qf' as a\n": 'qflow 1\nuse "a b.qf" as a\n',
    "qflow 1\ncheck { assert f(x) = 1 }\n": "qflow 1\ncheck { assert f(x) == 1 }\n",
}


@pytest.mark.parametrize(("text", "mended"), MENDED.items())
def test_the_edits_mend_the_mistakes(text: str, mended: str) -> None:
    found = parse(text, "x.qf").diagnostics
    assert found
    assert all(d.edits for d in found)
    assert applied(text, tuple(e for d in found for e in d.edits)) == mended
    assert parse(mended, "x.qf").diagnostics == ()


def test_what_nobody_can_mend_has_no_edits() -> None:
    (found,) = parse("qflow 1\nuse 'it\\'s'\n", "x.qf").diagnostics
    assert found.edits == ()
