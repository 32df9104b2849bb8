"""json: a list of objects with stable keys, for programs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from qflow.diagnostics import Diagnostic, Label, Span


class Json:
    """Every object has every key; what is absent is null or empty."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """The list, indented by two; `sources` and `color` do not matter here."""
        return json.dumps([_record(d) for d in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _record(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "at": _place(diagnostic.at),
        "label": diagnostic.label,
        "also": [_second(label) for label in diagnostic.also],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }


def _place(span: Span | None) -> dict[str, Any] | None:
    return asdict(span) if span else None


def _second(label: Label) -> dict[str, Any]:
    return {"at": _place(label.span), "text": label.text}
