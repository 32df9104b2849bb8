"""show: the canonical text of single nodes and whole trees."""

import pytest

from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.lang.parse import parse
from qflow.lang.printer import show

AT = Span("p.qf", 1, 1, 1, 1)


def name(value: str) -> syntax.Name:
    return syntax.Name(value, span=AT)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (syntax.String('a "b" \\ \n\t', span=AT), r'"a \"b\" \\ \n\t"'),
        (syntax.Number(0.001, "1e-3", span=AT), "1e-3"),
        (syntax.TensorType("float32", ("N", 3), span=AT), "float32[N, 3]"),
        (syntax.List((name("a"), name("b.c")), span=AT), "[a, b.c]"),
        (syntax.Dict((("a", name("b")),), span=AT), "{a: b}"),
        (syntax.Dict((), span=AT), "{}"),
        (
            syntax.Range(syntax.Number(0, "0", span=AT), syntax.Number(4, "4", span=AT), span=AT),
            "0..4",
        ),
        (syntax.Call("f", (syntax.Keyword("top", name("t"), span=AT),), span=AT), "f(top = t)"),
        (syntax.ByType("Conv2d", "a.**", span=AT), 'type Conv2d in "a.**"'),
        (
            syntax.Selector(
                (syntax.ByName("a", span=AT),), (syntax.ByOp("add", None, span=AT),), span=AT
            ),
            '"a" except op add',
        ),
        (syntax.UseAction("w8a8", (), span=AT), "use w8a8"),
        (syntax.PatchAction((), span=AT), "patch {}"),
        (syntax.Use("a.qf", "b", span=AT), 'use "a.qf" as b'),
        (syntax.Graph((), span=AT), "graph {}"),
    ],
)
def test_a_node(node: syntax.Node, text: str) -> None:
    assert show(node) == text


def test_a_tree_from_no_text_is_laid_out_for_people() -> None:
    text = (
        'qflow 1 use "a.qf" use "b.qf" as bee model m { a = 1; long = {b: 2} } '
        'data d { a = 1 } data ee { a = 2 } schedule { stage s on d { state "**" = qat } }'
    )
    for word in ("use", "model", "data", "schedule"):
        text = text.replace(f" {word} ", f"\n{word} ")
    file = parse(text, "p.qf").file
    assert file is not None
    assert (
        show(file)
        == """\
qflow 1

use "a.qf"
use "b.qf" as bee

model m {
  a    = 1
  long = {b: 2}
}

data d  { a = 1 }
data ee { a = 2 }

schedule {
  stage s on d {
    state "**" = qat
  }
}"""
    )


def test_what_is_no_text_of_its_own_is_our_mistake() -> None:
    with pytest.raises(TypeError, match="Node has no text"):
        show(syntax.Node(span=AT))
