"""diffing: what is different between two dumps of a graph, and where it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Literal

from qflow.diagnostics import Diagnostic, fail
from qflow.tracing.dumping import FIRST

Kind = Literal["operator_change", "parameter_change", "structure_change"]
"""Another operator at an address; the same with other attributes or another shape; a node that is
not in the other graph, or that reads other nodes, or lies in another scope."""


@dataclass(frozen=True)
class NodeText:
    """One line of a dump."""

    address: str
    op: str
    attributes: str
    reads: str
    shape: str
    scope: str
    line: int


@dataclass(frozen=True)
class GraphChange:
    kind: Kind
    address: str
    before: str
    """Empty for what is new."""
    after: str
    """Empty for what is gone."""


@dataclass(frozen=True)
class GraphDiff:
    changes: tuple[GraphChange, ...]
    """In the order of the first graph; what is new stands where the second has it."""
    similarity: float
    """0..1: share of nodes that are the same in both, 1 for two equal graphs."""

    @property
    def first(self) -> GraphChange | None:
        """The first difference in execution order."""
        return self.changes[0] if self.changes else None

    def of(self, kind: Kind) -> tuple[GraphChange, ...]:
        return tuple(c for c in self.changes if c.kind == kind)

    def render(self) -> str:
        """Text for a person: how alike they are, the first difference, then all by kind."""
        if not self.changes:
            return "the graphs are the same\n"
        first = self.changes[0]
        lines = [
            f"similarity {self.similarity:.3f}, {len(self.changes)} differences",
            f"first: {first.kind} at {first.address}",
        ]
        for kind in ("operator_change", "parameter_change", "structure_change"):
            found = [c for c in self.changes if c.kind == kind]
            if found:
                lines.append(f"{kind} ({len(found)})")
            for change in found:
                lines.append(f"  {change.address}")
                lines += [f"    - {change.before}"] if change.before else []
                lines += [f"    + {change.after}"] if change.after else []
        return "\n".join(lines) + "\n"


def diff(a: str, b: str) -> GraphDiff:
    """Compare two texts of `dump`. QF301 for a text that is none.

    Nodes are matched by address; the similarity is 2 * equal / (nodes of a + nodes of b).
    """
    before = list(_parse(a))
    after = _paired(before, list(_parse(b)))
    old = {n.address: n for n in before}
    new = {n.address: n for n in after}
    changes: list[GraphChange] = []
    for tag, i, i_end, j, j_end in _steps(before, after):
        if tag == "equal":
            pairs = zip(before[i:i_end], after[j:j_end], strict=True)
            changes += (c for x, y in pairs for c in _changes(x, y))
            continue
        for node in before[i:i_end]:
            # what moved is compared where the first graph has it
            changes += _moved(node, new[node.address]) if node.address in new else (_gone(node),)
        changes += (_new(n) for n in after[j:j_end] if n.address not in old)
    changed = {c.address for c in changes}
    equal = sum(n.address in new and n.address not in changed for n in before)
    total = len(before) + len(after)
    return GraphDiff(tuple(changes), 2 * equal / total if total else 1.0)


def _steps(before: list[NodeText], after: list[NodeText]) -> Any:
    addresses = [n.address for n in before], [n.address for n in after]
    return SequenceMatcher(None, *addresses, autojunk=False).get_opcodes()


def _paired(before: list[NodeText], after: list[NodeText]) -> list[NodeText]:
    """The second graph, with the first one's addresses where one operator stands for another.

    `_generated_relu6_0` in the place of `_generated_relu_0` is another operator, not a gone and a
    new one.
    """
    old, new = {n.address for n in before}, {n.address for n in after}
    names: dict[str, str] = {}
    for tag, i, i_end, j, j_end in _steps(before, after):
        if tag != "replace" or i_end - i != j_end - j:
            continue
        for x, y in zip(before[i:i_end], after[j:j_end], strict=True):
            if x.address not in new and y.address not in old and _parent(x) == _parent(y):
                names[y.address] = x.address
    return [
        replace(n, address=names.get(n.address, n.address), reads=_renamed(n.reads, names))
        for n in after
    ]


def _parent(node: NodeText) -> str:
    return node.address.rpartition(".")[0]


def _renamed(reads: str, names: Mapping[str, str]) -> str:
    return f"({', '.join(names.get(n, n) for n in reads[1:-1].split(', '))})"


def _changes(x: NodeText, y: NodeText) -> Iterator[GraphChange]:
    if x.op != y.op:
        yield GraphChange("operator_change", x.address, x.op, y.op)
    elif (x.attributes, x.shape) != (y.attributes, y.shape):
        texts = (f"{n.op} {n.attributes} {n.shape}" for n in (x, y))
        yield GraphChange("parameter_change", x.address, *texts)
    if (x.reads, x.scope) != (y.reads, y.scope):
        yield GraphChange("structure_change", x.address, _place(x), _place(y))


def _moved(x: NodeText, y: NodeText) -> Iterator[GraphChange]:
    found = list(_changes(x, y))
    yield from found
    if not any(c.kind == "structure_change" for c in found):
        yield GraphChange("structure_change", x.address, f"line {x.line}", f"line {y.line}")


def _gone(x: NodeText) -> GraphChange:
    return GraphChange("structure_change", x.address, f"{x.op} {_place(x)}", "")


def _new(y: NodeText) -> GraphChange:
    return GraphChange("structure_change", y.address, "", f"{y.op} {_place(y)}")


def _place(node: NodeText) -> str:
    return f"reads {node.reads}" + (f" in {node.scope}" if node.scope else "")


_LINE = re.compile(
    r"\s*(?:inside )?(?P<op>\S+)  (?P<address>\S+)  (?P<attributes>\{.*\})  "
    r"(?P<reads>\(.*\))  (?P<shape>\[[\d,]*\])(?: kept whole)?"
)


def _parse(text: str) -> Iterator[NodeText]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].strip() != FIRST:
        raise _no_dump(1, f"the first line is not `{FIRST}`")
    scope = ""
    for number, line in enumerate(lines[1:], start=2):
        words = line.split()
        if not words:
            continue
        if words[0] in ("scope", "scope_end") and len(words) == 2:
            scope = words[1] if words[0] == "scope" else ""
            continue
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            raise _no_dump(number, "it is no node")
        yield NodeText(**found.groupdict(), scope=scope, line=number)


def _no_dump(line: int, why: str) -> Exception:
    return fail(
        Diagnostic(
            "QF301",
            f"line {line} of the text is not of a graph dump: {why}",
            help="compare texts that `qflow.tracing.dump` wrote",
        )
    )
