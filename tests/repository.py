"""A git repository in a folder, for tests of what reviews and merges do."""

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class Repository:
    """Commands of git in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *command: str) -> str:
        """What git prints. Raises CalledProcessError."""
        return subprocess.run(
            ["git", *command],
            cwd=self.folder,
            env=_ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def commit(self, message: str = "a change") -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def merges(self, branch: str) -> bool:
        """Whether a branch merges into the one that is checked out without a conflict."""
        try:
            self.git("merge", "-q", "-m", "merge", branch)
        except subprocess.CalledProcessError:
            return False
        return True
