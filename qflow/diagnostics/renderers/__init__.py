"""Renderers: diagnostics as text or data; one file each, found by its name (`--format json`)."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from qflow.diagnostics import Diagnostic


class Renderer(Protocol):
    """What every file of this folder defines, under the CamelCase of its name."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """All diagnostics in the order given, ending in a newline unless empty.

        `sources` is text by path; a path that is missing there gets no excerpt.
        `color` is for people; machine formats ignore it.
        """
        ...
