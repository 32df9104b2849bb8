"""json: findings as versioned data for programs.

The promise of `format_version`, MAJOR.MINOR: within a major version fields are only added, and none
changes its name, its type or its meaning.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from qflow.diagnostics import Diagnostic, Edit, Label, Span

FORMAT_VERSION = "1.0"


class Json:
    """Every object has every key; what is absent is null or empty."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """An object, indented by two; what comments allow is listed with its reason."""
        found = [record(d) for d in diagnostics]
        data = {"format_version": FORMAT_VERSION, "diagnostics": found}
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def record(diagnostic: Diagnostic) -> dict[str, Any]:
    """One finding as plain data."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "at": _place(diagnostic.at),
        "label": diagnostic.label,
        "also": [_second(label) for label in diagnostic.also],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "about": diagnostic.about,
        "edits": [_edit(edit) for edit in diagnostic.edits],
        "allowed": diagnostic.allowed,
    }


def _place(span: Span | None) -> dict[str, Any] | None:
    return asdict(span) if span else None


def _second(label: Label) -> dict[str, Any]:
    return {"at": _place(label.span), "text": label.text}


def _edit(edit: Edit) -> dict[str, Any]:
    return {"at": _place(edit.span), "text": edit.text}
