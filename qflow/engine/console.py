"""console: what a run says: progress bars on a terminal, plain lines elsewhere, all logged."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console as Screen
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qflow.diagnostics import Diagnostic
from qflow.engine.log import Log

_NAME_WIDTH = 12

Report = Callable[[Iterable[Diagnostic]], None]
"""Prints diagnostics in the format the user asked for."""


@dataclass
class Console:
    screen: Screen
    report: Report
    log: Log = field(default_factory=Log)
    found: list[Diagnostic] = field(default_factory=list)
    """Every diagnostic of this run so far."""

    def say(self, name: str, text: str) -> None:
        """A line about a stage, with the stage's name in front."""
        line = f"{name:<{_NAME_WIDTH}}{text}"
        self.log.line(line)
        self.screen.print(line, highlight=False, markup=False, soft_wrap=True)

    def show(self, table: RenderableType) -> None:
        """Something for people; the log gets the same text without colour."""
        self.screen.print(table)
        width = max(80, min(self.screen.width, 120))
        plain = Screen(width=width, record=True, file=_Nowhere(), color_system=None)
        plain.print(table)
        self.log.text(plain.export_text())

    def diagnose(self, found: Iterable[Diagnostic]) -> None:
        """Warnings and notes; errors are raised instead."""
        new = [d for d in found if d not in self.found]
        if not new:
            return
        self.found += new
        for d in new:
            self.log.line(f"{d.severity}[{d.code}] {d.message}")
        self.report(new)

    @contextmanager
    def progress(self, name: str, total: int, unit: str) -> Iterator["Step"]:
        """Count `total` units; a bar on a terminal, nothing elsewhere."""
        if not self.screen.is_terminal:
            yield Step(self, name)
            return
        columns = (
            TextColumn(f"{name:<{_NAME_WIDTH - 1}}"),
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn(f"{unit} {{task.fields[note]}}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.screen, transient=True) as bars:
            task = bars.add_task(name, total=total, note="")
            yield Step(self, name, lambda n, note: bars.update(task, advance=n, note=note))


@dataclass
class Step:
    """The counter of one stage."""

    console: Console
    name: str
    update: Callable[[int, str], None] | None = None
    started: float = field(default_factory=time.perf_counter)

    def advance(self, units: int = 1, note: str = "") -> None:
        if self.update is not None:
            self.update(units, note)

    def say(self, text: str) -> None:
        """A line that stays: one epoch, one lane."""
        self.console.say(self.name, text)


class _Nowhere:
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None
