"""completion: what could be written where the cursor is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from qflow import registry
from qflow.compile import facts
from qflow.dtype import DTYPES
from qflow.lang.either import is_yaml
from qflow.lsp import words
from qflow.lsp.analysis import Analysis
from qflow.lsp.names import DATA, RULES, SENSITIVITY
from qflow.lsp.place import Place, place

_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*\[?\s*(?:\w+\s*,\s*)*$")
_BLOCKS = ("model", "target", "data", "qconfig", "sensitivity", "export", "sweep", "stage")
_WITH_ADDRESSES = ("quantize", "rules", "schedule", "graph", "check")


@dataclass(frozen=True)
class Candidate:
    text: str
    kind: str
    """`keyword`, `field`, `value`, `address`, `function`."""
    detail: str
    start: int
    """Characters before the cursor that it replaces."""


def completion(known: Analysis, line: int, column: int) -> tuple[Candidate, ...]:
    """Candidates whose letters hold those of the word being written; editors sort them.

    None in YAML, which editors complete by the JSON schema.
    """
    if is_yaml(known.path.name):
        return ()
    lines = known.text.normal.split("\n")[:line]
    before = "\n".join([*lines[:-1], lines[-1][: column - 1]]) if lines else ""
    here = place(before)
    if here.in_comment:
        return ()
    found = {
        text: Candidate(text, kind, detail, len(here.word))
        for text, kind, detail in _candidates(known, here)
        if text.startswith(here.word) or _is_near(here.word, text)
    }
    return tuple(found.values())


def _is_near(word: str, text: str) -> bool:
    """Editors match letters in order; sending more than that only costs."""
    left = iter(text)
    return all(letter in left for letter in word)


def _candidates(known: Analysis, here: Place) -> Iterator[tuple[str, str, str]]:
    if here.in_string:
        yield from _strings(known, here)
        return
    if here.names:
        yield from _names(known, here)
    for word in here.keywords:
        yield word, "keyword", ""


def _strings(known: Analysis, here: Place) -> Iterator[tuple[str, str, str]]:
    if here.item == "use":
        yield from _as("value", words.files(known))
    elif here.item in _WITH_ADDRESSES and not here.statement.startswith("wrap"):
        yield from _as("address", words.addresses(known))
    elif here.item == "target" and _field(here) == "march":
        yield from _as("value", words.values("march", "target", known))


def _names(known: Analysis, here: Place) -> Iterator[tuple[str, str, str]]:
    statement = here.statement
    last = re.search(r"([A-Za-z_]\w*|\(|,|:|\+)\s*$", statement)
    after = last[1] if last else ""
    if here.body in (*_BLOCKS, "value") and (field := _field(here)):
        yield from _as("value", words.values(field, here.body, known))
    elif here.body in _BLOCKS and not statement:
        yield from _as("field", words.fields(here.body, known))
    elif here.item == "param" and after == ":":
        yield from _as("value", tuple((t, "type") for t in words.PARAM_TYPES))
    elif here.item == "param" and (kind := re.search(r":\s*(\w+)\s*=\s*", statement)):
        yield from _param_values(kind[1], known)
    elif after in ("use", "default"):
        yield from _as("value", words.qconfigs(known))
    elif after == "apply":
        yield from _as("value", words.blocks(known, RULES))
    elif after == "on":
        yield from _as("value", words.blocks(known, DATA))
    elif after == "is":
        yield from _as("value", tuple((name, "dtype") for name in DTYPES))
    elif after == "op" or (here.item == "graph" and statement.startswith("fuse")):
        yield from _as("value", tuple((name, "operator") for name in facts.operators()))
    elif after == "type":
        yield from _as("value", _types(known))
    elif here.item == "check":
        yield from _measured(known, after)
    elif after in ("match", "except", "state", "leaf", ",") and "(" not in statement:
        for name in registry.names("compile.selectors"):
            yield f"{name}(", "function", "selector"
    elif after in ("(", ","):
        yield from _as("value", words.blocks(known, SENSITIVITY))


def _field(here: Place) -> str:
    """The field whose value is being written."""
    found = _FIELD.search(here.statement)
    return found[1] if found else ""


def _param_values(kind: str, known: Analysis) -> Iterator[tuple[str, str, str]]:
    if kind == "dtype":
        yield from _as("value", tuple((name, "dtype") for name in DTYPES))
    elif kind == "bool":
        yield from _as("value", (("true", "bool"), ("false", "bool")))
    elif kind == "qconfig":
        yield from _as("value", words.qconfigs(known))
    else:
        yield from _as("value", words.values(kind, "", known))


def _measured(known: Analysis, after: str) -> Iterator[tuple[str, str, str]]:
    yield from _as("value", words.outputs(known))
    if after != "(":
        for name in registry.names("analysis.measures"):
            yield f"{name}(", "function", "measure"


def _types(known: Analysis) -> tuple[tuple[str, str], ...]:
    modules = known.lock.inventory.modules if known.lock else ()
    return tuple((name, "type") for name in sorted({m.type for m in modules if m.type}))


def _as(kind: str, found: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str, str]]:
    for text, detail in found:
        yield text, kind, detail
