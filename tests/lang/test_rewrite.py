"""One walk over a tree: what does not change is the same object, what does is not looked into."""

from qflow.lang import syntax
from qflow.lang.parse import parse
from qflow.lang.rewrite import rewrite, walk
from qflow.lang.syntax import Node

TEXT = """qflow 1

data a { loader = "a:b"; args = {x: [one, {y: two}], z: f[N, 3]} }

quantize {
  default use w8a8 with { act.dtype = one }
  match sensitive(sens, top = one), "a" except type T use w8a8
}

check { assert accuracy(integer) >= accuracy(one) on a }
"""


def file() -> syntax.File:
    parsed = parse(TEXT, "x.qf")
    assert parsed.file is not None
    return parsed.file


def test_nothing_changed_is_the_same_object() -> None:
    tree = file()
    assert rewrite(tree, lambda node: None) is tree


def test_every_name_is_seen_wherever_it_stands() -> None:
    def change(node: Node) -> Node | None:
        match node:
            case syntax.Name(value="one"):
                return syntax.Name("two", span=node.span)
        return None

    tree = file()
    found = rewrite(tree, change)
    assert [n.value for n in walk(tree) if isinstance(n, syntax.Name)].count("one") == 4
    names = [n.value for n in walk(found) if isinstance(n, syntax.Name)]
    assert names.count("one") == 0
    assert names.count("two") == 5
    # what held no such name is shared
    assert found.items[1].rules[1].selector.excluded is tree.items[1].rules[1].selector.excluded  # type: ignore[union-attr]


def test_what_takes_a_place_is_not_looked_into() -> None:
    def change(node: Node) -> Node | None:
        match node:
            case syntax.List(items=items):
                return syntax.List((*items, *items), span=node.span)
        return None

    found = rewrite(file(), change)
    lists = [n for n in walk(found) if isinstance(n, syntax.List)]
    assert [len(n.items) for n in lists] == [4]


def test_walk_gives_nodes_in_the_order_written() -> None:
    names = [n.value for n in walk(file()) if isinstance(n, syntax.Name)]
    assert names == ["one", "two", "one", "sens", "one", "integer", "one"]
