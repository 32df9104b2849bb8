"""state: which stages an unfinished run set out to make, so that its resumption is the same run."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from qflow.engine import files


@dataclass
class State:
    """`state.json`. There is none when no run is unfinished."""

    path: Path
    command: str
    """Digest of what was asked for: the plan and `--from`."""
    started: dict[str, str] = field(default_factory=dict)
    """Stage to the key it was started with. Written before the work, so a kill loses nothing."""

    def made(self, stage: str, key: str) -> bool:
        """An artifact of this key, if there is one, was made by this run."""
        return self.started.get(stage) == key

    def start(self, stage: str, key: str) -> None:
        self.started[stage] = key
        data = {"command": self.command, "started": self.started}
        files.write(self.path, json.dumps(data, indent=2, sort_keys=True) + "\n")

    def end(self) -> None:
        """The run is over."""
        files.remove(self.path)


def read(path: Path, command: str) -> State:
    """The state an earlier attempt of the same command left; a fresh one otherwise."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["command"] == command:
            return State(path, command, dict(data["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        # none, or not ours: the run starts anew and nothing is lost but the word `resumed`
        return State(path, command)
    return State(path, command)
