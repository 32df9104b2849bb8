"""log: everything a run says, with times, and the tracebacks it keeps from the screen."""

import traceback
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass
class Log:
    """Lines are kept until `open` names the file; from there on each is written at once."""

    path: Path | None = None
    waiting: list[str] = field(default_factory=list)

    def open(self, path: Path) -> None:
        """Append to this file from now on: a resumed run continues the log of the one before."""
        self.path = path
        earlier, self.waiting = self.waiting, []
        self.text("".join(earlier))

    def line(self, text: str) -> None:
        self.text(f"{datetime.now().isoformat(' ', 'seconds')}  {text}\n")

    def text(self, text: str) -> None:
        if self.path is None:
            self.waiting.append(text)
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def error(self, error: BaseException) -> None:
        """The whole chain of tracebacks; before `open` there is no place for it."""
        self.text("".join(traceback.format_exception(error)))
