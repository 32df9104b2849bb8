"""textmate: the TextMate grammar for editors, made from the words and places of the Lark grammar.

`python editors/textmate.py` writes it; `--check` only exits 1 when what is there is stale.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LARK = ROOT / "grammar" / "qflow.lark"
WRITTEN = (
    ROOT / "grammar" / "qflow.tmLanguage.json",
    ROOT / "editors" / "vscode" / "syntaxes" / "qflow.tmLanguage.json",
)
"""The extension is packed alone, so it has a copy of its own."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_NAMES = rf"{_NAME}(?:\.{_NAME})*"
_SYMBOL = re.compile(r'"([^"]+)"|_lines\{(\w+)\}|\b([a-z_]+)\b')


@dataclass(frozen=True)
class Rules:
    """The rules of the Lark grammar, as far as colours depend on them."""

    bodies: dict[str, str]
    choices: frozenset[str]
    """Rules that keep the word they are: `!state_name`."""

    def alternatives(self, rule: str) -> list[str]:
        return [part.strip() for part in self.bodies[rule].split("|")]

    def symbols(self, rule: str) -> list[tuple[str, str, str]]:
        """Each as (word, argument of `_lines`, rule): one of them is not empty."""
        return _SYMBOL.findall(self.bodies[rule])

    def first(self, rule: str) -> list[str]:
        """The words a rule can begin with."""
        found: list[str] = []
        for alternative in self.alternatives(rule):
            match = _SYMBOL.match(alternative)
            word, _, reference = match.groups() if match else ("", "", "")
            if word and word.isidentifier():
                found.append(word)
            elif reference in self.bodies:
                found += self.first(reference)
        return found

    def reached(self, rule: str, seen: frozenset[str] = frozenset()) -> list[str]:
        """The rule and those below it, up to the next braces."""
        below = [name for _, _, name in self.symbols(rule) if name in self.bodies]
        found = [rule]
        for name in dict.fromkeys(below):
            if name not in seen:
                found += self.reached(name, seen | {rule, name})
        return list(dict.fromkeys(found))

    def words(self, rule: str, chosen: bool) -> list[str]:
        """The words between a rule's first and its braces: of choices, or all others."""
        rules = [r for r in self.reached(rule) if (r in self.choices) == chosen]
        every = {word for r in rules for word, _, _ in self.symbols(r) if word.isidentifier()}
        return sorted(every - set(self.first(rule)))

    def lines(self, rule: str) -> list[str]:
        """What stands in the braces of a rule, line by line."""
        return [lines for r in self.reached(rule) for _, lines, _ in self.symbols(r) if lines]


def read(grammar: str) -> Rules:
    """The rules of a Lark grammar; terminals and the templates are left out."""
    text = re.sub(r"^\s*//.*$", "", grammar, flags=re.MULTILINE)
    found = re.findall(r"^([?!]?)([a-z_]+): (.*(?:\n[ \t]+.*)*)", text, re.MULTILINE)
    bodies = {name: body for _, name, body in found}
    return Rules(bodies, frozenset(name for mark, name, _ in found if mark == "!"))


def terminal(grammar: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", grammar, re.MULTILINE)
    assert found, f"the grammar has no terminal {name}"
    if found[1].startswith("/"):
        return found[1][1:-1]
    return "|".join(re.escape(word) for word in re.findall(r'"([^"]+)"', found[1]))


def textmate(grammar: str) -> dict[str, Any]:
    """The TextMate grammar."""
    rules = read(grammar)
    items = [name for name in rules.alternatives("item")]
    starts = _either([word for item in items for word in rules.first(item)])
    ahead = rf'(?=^(?:{starts})\b\s*[A-Za-z_"{{])'
    made = _Made(rules, ahead)
    for item in items:
        made.item(item)
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "qflow",
        "scopeName": "source.qflow",
        "fileTypes": ["qf"],
        "patterns": [
            {"include": "#comment"},
            {
                "match": r"^\s*(qflow)\b[ \t]*([0-9]*)",
                "captures": _captures("keyword.declaration", "constant.numeric"),
            },
            *({"include": f"#{item}"} for item in items),
        ],
        "repository": {**made.repository, **_values(grammar)},
    }


@dataclass
class _Made:
    rules: Rules
    ahead: str
    """Where another item begins: an open block ends there, as it does for the parser."""

    def __post_init__(self) -> None:
        self.repository: dict[str, Any] = {}

    def item(self, item: str) -> None:
        lines = self.rules.lines(item)
        self.repository[item] = {
            "name": f"meta.{item}.qflow",
            "begin": rf"^\s*({_either(self.rules.first(item))})\b(?:[ \t]+({_NAMES}))?",
            "beginCaptures": _captures("keyword.declaration", "entity.name.section"),
            "end": rf"(?<=\}})|{self.ahead}" if lines else "$",
            "patterns": [*self._inside(item), {"include": "#value"}],
        }

    def _inside(self, rule: str) -> list[dict[str, Any]]:
        """Words of a rule and its braces."""
        found: list[dict[str, Any]] = [{"include": "#comment"}]
        for words, scope in (
            (self.rules.words(rule, chosen=False), "keyword.other"),
            (self.rules.words(rule, chosen=True), "constant.language"),
        ):
            if words:
                found.append({"match": _word(words), "name": f"{scope}.qflow"})
        return [*found, *({"include": f"#{self._lines(name)}"} for name in self.rules.lines(rule))]

    def _lines(self, argument: str) -> str:
        """A pair of braces with statements or fields."""
        name = f"lines_{argument.strip('_')}"
        if name in self.repository:
            return name
        self.repository[name] = made = {
            "begin": r"\{",
            "end": rf"\}}|{self.ahead}",
            "beginCaptures": {"0": {"name": "punctuation.section.block.qflow"}},
            "endCaptures": {"0": {"name": "punctuation.section.block.qflow"}},
        }
        statements = [name for name in self._statements(argument) if name != "field"]
        fields = [{"include": "#field"}] if "field" in self._statements(argument) else []
        for statement in statements:
            self.statement(statement)
        includes = ({"include": f"#{statement}"} for statement in statements)
        made["patterns"] = [{"include": "#comment"}, *fields, *includes, {"include": "#value"}]
        return name

    def _statements(self, rule: str) -> list[str]:
        if not rule.startswith("_"):
            return [rule]
        return self.rules.alternatives(rule)

    def statement(self, rule: str) -> None:
        if rule in self.repository:
            return
        self.repository[rule] = made = {
            "name": f"meta.{rule}.qflow",
            "begin": _word(self.rules.first(rule)),
            "beginCaptures": {"0": {"name": "keyword.control.qflow"}},
            "end": rf"(?=[;}}])|$|{self.ahead}",
        }
        if rule == "stage":
            # its braces may stand on many lines
            made["end"] = rf"(?<=\}})|(?=[;}}])|{self.ahead}"
        made["patterns"] = [*self._inside(rule), {"include": "#value"}]


def _values(grammar: str) -> dict[str, Any]:
    def one(match: str, scope: str) -> dict[str, Any]:
        return {"match": match, "name": f"{scope}.qflow"}

    string = one(terminal(grammar, "STRING"), "string.quoted.double")
    string["captures"] = {"0": {"patterns": [one(r"\\.", "constant.character.escape")]}}
    number = f"(?<![A-Za-z0-9_])(?:{terminal(grammar, 'DECIMAL')}|{terminal(grammar, 'INTEGER')})"
    value = ("comment", "string", "number", "mapping", "sequence")
    return {
        "comment": one(terminal(grammar, "COMMENT"), "comment.line.number-sign"),
        "string": string,
        "number": one(number, "constant.numeric"),
        "field": {
            "match": rf"({_NAMES})[ \t]*(=)(?!=)",
            "captures": _captures("variable.other.property", "keyword.operator.assignment"),
        },
        "mapping": {
            "begin": r"\{",
            "end": r"\}",
            "patterns": [
                {
                    "match": rf"({_NAME})[ \t]*(:)",
                    "captures": _captures("variable.other.property", "punctuation.separator"),
                },
                {"include": "#value"},
            ],
        },
        "sequence": {"begin": r"\[", "end": r"\]", "patterns": [{"include": "#value"}]},
        "value": {
            "patterns": [
                *({"include": f"#{name}"} for name in value),
                one(terminal(grammar, "COMPARISON"), "keyword.operator.comparison"),
                one("=", "keyword.operator.assignment"),
                one(_word(["true", "false"]), "constant.language.boolean"),
                one(rf"{_NAME}(?=\()", "support.function"),
                one(rf"{_NAME}(?=\[)", "support.type"),
                one(_NAMES, "variable.other"),
            ]
        },
    }


def _captures(*scopes: str) -> dict[str, Any]:
    return {str(n): {"name": f"{scope}.qflow"} for n, scope in enumerate(scopes, 1)}


def _either(words: list[str]) -> str:
    return "|".join(dict.fromkeys(words))


def _word(words: list[str]) -> str:
    """One of the words, where it is no part of a longer name."""
    return rf"(?<![A-Za-z0-9_.])(?:{_either(words)})\b(?![.(\[])(?![ \t]*=(?!=))"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    check = parser.parse_args().check
    made = textmate(LARK.read_text(encoding="utf-8"))
    text = json.dumps(made, indent=2) + "\n"
    stale = [p for p in WRITTEN if not p.is_file() or p.read_text(encoding="utf-8") != text]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"{'stale' if check else 'wrote'} {path.relative_to(ROOT).as_posix()}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
