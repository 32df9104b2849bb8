"""places: paths in spans, as the user named them, and files of a plan, relative to its own."""

import posixpath
from collections.abc import Iterable

from qflow.diagnostics import Span
from qflow.plan.plan import Plan


def folder_of(path: str) -> str:
    """`Plan.folder` for a program at `path`; empty for one in the folder the program runs in."""
    folder, slash, _ = path.rpartition("/")
    return folder or slash


def files_of(path: str, others: Iterable[str]) -> tuple[str, ...]:
    """`Plan.files` for a program at `path` that was made of these files as well."""
    folder, name = folder_of(path), path.rpartition("/")[2]
    relative = {
        other if _ships(other) else posixpath.relpath(other, folder or ".")
        for other in others
        if other != path
    }
    return (name, *sorted(relative - {name}))


def _ships(path: str) -> bool:
    """Whether it is a config group that comes with qflow: called so wherever qflow is installed."""
    return path.startswith("qflow/conf/") and path.endswith(".yaml")


def shown(folder: str, file: str) -> str:
    """The path in spans of a file of a plan: the reverse of what `files_of` does."""
    if _ships(file):
        return file
    if file.startswith("../"):
        return posixpath.normpath(posixpath.join(folder, file))
    # a folder stays as it was named: `./x.qf`
    return posixpath.join(folder, file)


class Places:
    """What the paths in the spans of a plan stand for."""

    def __init__(self, plan: Plan) -> None:
        self._files = plan.files
        self._exact = {shown(plan.folder, file): i for i, file in enumerate(plan.files)}
        self._whole = {posixpath.abspath(path): i for path, i in self._exact.items()}

    def short(self, span: Span) -> str:
        """`12` for a line of the plan's own file, `npu.qf:12` for one of another."""
        index = self.index(span.path)
        return f"{self._files[index]}:{span.line}" if index else str(span.line)

    def index(self, path: str) -> int:
        """Where a path stands in `Plan.files`.

        Raises KeyError for a file the plan was not made of, which is a mistake of ours.
        """
        found = self._exact.get(path)
        return self._whole[posixpath.abspath(path)] if found is None else found
