"""keys: reading a mapping by the keys one knows; what is wrong is collected, never raised."""

from collections.abc import Iterator

from qflow import registry
from qflow.diagnostics import Diagnostic, Span
from qflow.lang.yaml.nodes import Mapping, Node, Scalar, Sequence, describe


class Findings:
    """Everything found in one file."""

    def __init__(self) -> None:
        self.all: list[Diagnostic] = []

    def add(self, *found: Diagnostic) -> None:
        self.all += found

    def wrong(self, node: Node, wanted: str, help: str = "") -> None:
        """QF145: a node that is not what its place asks for."""
        message = f"{wanted} belongs here, not {describe(node)}"
        self.add(Diagnostic("QF145", message, at=_first_line(node.span), help=help))

    def missing(self, key: str, what: str, at: Span, example: str) -> None:
        self.add(
            Diagnostic(
                "QF145",
                f"{what} needs the key `{key}`",
                at=_first_line(at),
                help=f"write `{key}: {example}`",
            )
        )


class Keys:
    """One mapping. Ask for the keys you know, then call `done`, which names the others."""

    def __init__(self, node: Mapping, what: str, findings: Findings) -> None:
        self.span = node.span
        self._entries = {name.text: (name, value) for name, value in node.entries}
        self._what = what
        self._asked: list[str] = []
        self._findings = findings

    def has(self, key: str) -> bool:
        self._asked.append(key)
        return key in self._entries

    def node(self, key: str) -> Node | None:
        self._asked.append(key)
        found = self._entries.get(key)
        return found[1] if found else None

    def key_span(self, key: str) -> Span:
        found = self._entries.get(key)
        return found[0].span if found else self.span

    def required(self, key: str, example: str) -> Node | None:
        found = self.node(key)
        # a misspelt key is one mistake, which `done` reports
        if found is None and not any(registry.nearest(k, (key,)) for k in self._entries):
            self._findings.missing(key, self._what, self.span, example)
        return found

    def scalar(self, key: str, example: str, required: bool = False) -> Scalar | None:
        """A single value; QF145 for a collection, or when it is missing and must not be."""
        found = self.required(key, example) if required else self.node(key)
        if found is None or isinstance(found, Scalar):
            return found
        self._findings.wrong(found, "a single value", f"write `{key}: {example}`")
        return None

    def list(self, key: str) -> tuple[Node, ...]:
        """Items of a list; none when it is absent or something else (QF145)."""
        found = self.node(key)
        if found is None:
            return ()
        if isinstance(found, Sequence):
            return found.items
        self._findings.wrong(found, "a list", f"write `{key}: [...]`, or lines that begin with `-`")
        return ()

    def mapping(self, key: str) -> Mapping | None:
        found = self.node(key)
        if found is None or isinstance(found, Mapping):
            return found
        self._findings.wrong(found, "a mapping", f"write `{key}: {{name: value}}`")
        return None

    def flag(self, key: str) -> bool:
        """`true`; a flag that does not hold is left out, though `false` is understood."""
        found = self.node(key)
        if found is None:
            return False
        if isinstance(found, Scalar) and not found.quoted and found.text in ("true", "false"):
            return found.text == "true"
        self._findings.wrong(found, "`true`", f"write `{key}: true`, or leave it out")
        return False

    def rest(self) -> Iterator[tuple[Scalar, Node]]:
        """Entries nobody asked for."""
        return (entry for name, entry in self._entries.items() if name not in self._asked)

    def misspelt(self, kinds: tuple[str, ...]) -> bool:
        """QF141 for a key that was meant to be one of `kinds`; whether there is such a key."""
        for name, _ in self._entries.values():
            near = registry.nearest(name.text, kinds)
            if near and name.text not in self._asked:
                self._unknown(name, near, ())
                return True
        return False

    def done(self) -> None:
        """QF141 for every key nobody asked for."""
        known = tuple(dict.fromkeys(self._asked))
        for name, _ in self.rest():
            self._unknown(name, registry.nearest(name.text, known), known)

    def _unknown(self, name: Scalar, near: tuple[str, ...], known: tuple[str, ...]) -> None:
        notes = () if near else (f"its keys: {', '.join(f'`{k}`' for k in known)}",)
        self._findings.add(
            Diagnostic(
                "QF141",
                f"{self._what} has no key `{name.text}`",
                at=name.span,
                notes=notes,
                help=f"did you mean `{near[0]}`?" if near else "",
            )
        )


def _first_line(span: Span) -> Span:
    """A block of many lines is marked where it begins."""
    if span.end_line == span.line:
        return span
    return Span(span.path, span.line, span.column, span.line, span.column + 1)
