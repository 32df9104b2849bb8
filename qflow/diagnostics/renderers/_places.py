"""Paths as the tools of a repository know them: from its root, with `/`."""

import os
from pathlib import Path


class Repository:
    """The repository around the working folder, or the working folder where there is none."""

    def __init__(self) -> None:
        here = Path.cwd()
        self._root = next((p for p in (here, *here.parents) if (p / ".git").exists()), here)

    def path(self, path: str) -> str | None:
        """Relative to the root; None for what lies outside of it."""
        # not resolved: a file behind a link is where the repository has it
        absolute = Path(os.path.abspath(path))
        if not absolute.is_relative_to(self._root):
            return None
        return absolute.relative_to(self._root).as_posix()

    def shown(self, path: str) -> str:
        """For people and commands: outside of the repository as it was given."""
        return self.path(path) or path
