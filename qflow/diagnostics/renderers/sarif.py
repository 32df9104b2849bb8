"""sarif: SARIF 2.1.0, which code scanning of GitHub and editors read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from qflow import __version__
from qflow.diagnostics import Diagnostic, Edit, Label, Span, explaining
from qflow.diagnostics.codes import CODES
from qflow.diagnostics.renderers._fingerprints import fingerprints
from qflow.diagnostics.renderers._places import Repository
from qflow.diagnostics.renderers._words import lines

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
HOME = "https://github.com/qflow/qflow"
ROOT = "%SRCROOT%"
"""The name under which readers of SARIF know the root of the repository."""

Object = dict[str, Any]


class Sarif:
    """One run; results in the order given, those a comment allows as suppressed in the source."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """A log also without findings: its upload closes the alerts of what was mended."""
        found = tuple(diagnostics)
        codes = sorted({d.code for d in found})
        results = _Results(codes)
        marks = fingerprints(found, sources)
        run = {
            "tool": {"driver": _driver(codes)},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {ROOT: {"description": {"text": "the root of the repository"}}},
            "results": [results.of(d, mark) for d, mark in zip(found, marks, strict=True)],
        }
        log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
        return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def _driver(codes: list[str]) -> Object:
    return {
        "name": "qflow",
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [_rule(code) for code in codes],
    }


def _rule(code: str) -> Object:
    about = {"id": code, "shortDescription": {"text": CODES.get(code, code)}}
    page = explaining.page(code)
    if page is None:
        return {**about, "help": {"text": f"`qflow explain {code}` says more."}}
    return {
        **about,
        "fullDescription": {"text": page.text.split("\n\n")[0] or page.title},
        "help": {"text": page.text or page.title, "markdown": explaining.source(code)},
        "helpUri": f"{HOME}/blob/main/qflow/diagnostics/explained/{code}.md",
    }


class _Results:
    """Findings as results of the rules with these ids."""

    def __init__(self, codes: list[str]) -> None:
        self._index = {code: n for n, code in enumerate(codes)}
        self._repository = Repository()

    def of(self, d: Diagnostic, mark: str) -> Object:
        result: Object = {
            "ruleId": d.code,
            "ruleIndex": self._index[d.code],
            "level": d.severity,
            "message": {"text": "\n".join(lines(d))},
            "locations": self._locations(d),
            # GitHub looks at the first name only
            "partialFingerprints": {"primaryLocationLineHash": mark, "qflow/v1": mark},
            "suppressions": _suppressions(d),
        }
        if d.also:
            result["relatedLocations"] = [self._related(n, a) for n, a in enumerate(d.also, 1)]
        if d.edits:
            result["fixes"] = [self._fix(d)]
        return result

    def _locations(self, d: Diagnostic) -> list[Object]:
        location: Object = {}
        if d.at is not None:
            location["physicalLocation"] = self._physical(d.at)
        if d.about:
            location["logicalLocations"] = [{"fullyQualifiedName": d.about}]
        return [location] if location else []

    def _related(self, number: int, label: Label) -> Object:
        place = {"id": number, "physicalLocation": self._physical(label.span)}
        return {**place, "message": {"text": label.text}} if label.text else place

    def _physical(self, span: Span) -> Object:
        return {"artifactLocation": self._artifact(span.path), "region": _region(span)}

    def _artifact(self, path: str) -> Object:
        inside = self._repository.path(path)
        if inside is None:
            return {"uri": Path(path).absolute().as_uri()}
        return {"uri": quote(inside), "uriBaseId": ROOT}

    def _fix(self, d: Diagnostic) -> Object:
        by_path: dict[str, list[Edit]] = {}
        for edit in d.edits:
            by_path.setdefault(edit.span.path, []).append(edit)
        changes = [
            {
                "artifactLocation": self._artifact(path),
                "replacements": [
                    {"deletedRegion": _region(e.span), "insertedContent": {"text": e.text}}
                    for e in edits
                ],
            }
            for path, edits in by_path.items()
        ]
        about = {"description": {"text": d.help}} if d.help else {}
        return {**about, "artifactChanges": changes}


def _region(span: Span) -> Object:
    """Its end is exclusive here as well."""
    return {
        "startLine": max(span.line, 1),
        "startColumn": max(span.column, 1),
        "endLine": max(span.end_line, span.line, 1),
        "endColumn": max(span.end_column, 1),
    }


def _suppressions(d: Diagnostic) -> list[Object]:
    """Empty for what is not: without the list that would not be known."""
    return [{"kind": "inSource", "justification": d.allowed}] if d.allowed else []
