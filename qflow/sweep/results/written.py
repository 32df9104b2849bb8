"""written: the plot and the patches of a sweep as files; what an earlier one left goes away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from qflow.diagnostics import Diagnostic, QflowError
from qflow.engine import files
from qflow.engine.console import Console
from qflow.sweep.outcome import Outcome
from qflow.sweep.results import patches as patching
from qflow.sweep.results import plot as plotting
from qflow.sweep.results.objective import Objective
from qflow.sweep.results.picture import picture

PNG, SVG = "pareto.png", "pareto.svg"
PATCHES = "patches"
_NAMED = 6
"""Patches that are named; of more, the folder is."""


def plot(
    folder: Path,
    outcomes: Sequence[Outcome],
    best: Sequence[Outcome],
    objective: Objective | None,
    program: Path,
    console: Console,
) -> list[str]:
    """Names of the files; none where nothing can be drawn, or nothing can draw (QF405, a note)."""
    shown = picture(program.name, outcomes, best, objective) if objective else None
    try:
        drawn = plotting.draw(shown) if shown is not None else (None, None)
    except QflowError as error:
        drawn = (None, None)
        console.diagnose(replace(d, severity="note") for d in error.diagnostics)
    made = []
    for name, data in zip((PNG, SVG), drawn, strict=True):
        if data is None:
            files.remove(folder / name)
        else:
            files.write(folder / name, data)
            made.append(name)
    return made


def patches(
    folder: Path,
    best: Sequence[Outcome],
    program: Path,
    settings: Mapping[str, str],
    console: Console,
) -> None:
    """A file for each best point that is not the file as it is; which one that is, is said."""
    found = list(patching.patches(program, best, settings))
    texts = {p.name: p.text for p in found if not isinstance(p, Diagnostic) and p.text}
    for path in (folder / PATCHES).glob(f"*{patching.SUFFIX}"):
        if path.name not in texts:
            files.remove(path)
    for name, text in texts.items():
        files.write(folder / PATCHES / name, text)
    if texts:
        names = ", ".join(texts) if len(texts) <= _NAMED else f"{len(texts)} of them"
        console.say(PATCHES, f"{(folder / PATCHES).as_posix()}/: {names}")
    same = [p.point for p in found if not isinstance(p, Diagnostic) and not p.text]
    if same:
        console.say(PATCHES, f"none for {', '.join(same)}: {program.name} is that already")
    if any(p.stale for p in found if not isinstance(p, Diagnostic)):
        console.say(PATCHES, f"run `qflow lock {program.as_posix()}` when one is applied")
    console.diagnose(d for d in found if isinstance(d, Diagnostic))
