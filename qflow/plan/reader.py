"""reader: a plan from its JSON form; what `json.dumps` wrote and nothing else."""

import json
import re

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.plan.places import shown
from qflow.plan.plan import FORMAT_VERSION, Plan
from qflow.plan.reading import Reading, Unreadable

_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})")


def loads(text: str, folder: str = "", name: str = "the plan") -> Plan:
    """The exact inverse of `json.dumps`; `name` is the file for messages.

    `folder` is where the plan's own file lies; spans say `folder/file`, as in the plan that was
    written. Fields that a later minor version added are ignored.
    Raises QflowError: QF305 for text that is no plan, QF306 for one of another major version.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise damaged(name, f"it is not JSON: {error!s:.80}") from error
    except RecursionError as error:
        raise damaged(name, "it is nested too deeply") from error
    if not isinstance(data, dict) or "format_version" not in data:
        raise damaged(name, "it is no object with a `format_version`")
    newer = _newer(data["format_version"], name)
    try:
        plan = Reading(_paths(data, folder), strict=not newer).value(Plan, data)
    except (Unreadable, RecursionError) as error:
        raise damaged(name, str(error) or "it is nested too deeply") from error
    assert isinstance(plan, Plan)
    object.__setattr__(plan, "folder", folder)
    return plan


def _newer(version: object, name: str) -> bool:
    """Whether a later minor version wrote it; refuses another major version."""
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if found is None:
        raise damaged(name, f"its `format_version` is {version!r:.40}")
    own = _VERSION.fullmatch(FORMAT_VERSION)
    assert own is not None
    if found[1] != own[1]:
        raise fail(
            Diagnostic(
                "QF306",
                f"`{name}` has the format {version}, and this qflow reads {own[1]}.x",
                help="write it again with this version: `qflow plan FILE --format json`",
            )
        )
    return int(found[2]) > int(own[2])


def _paths(data: dict[str, object], folder: str) -> tuple[str, ...]:
    files = data.get("files")
    if not isinstance(files, list) or not files or not all(isinstance(f, str) for f in files):
        raise Unreadable("`files` is no list of names")
    return tuple(shown(folder, file) for file in files)


def damaged(name: str, why: str) -> QflowError:
    """QF305 for a file that is no plan."""
    return fail(
        Diagnostic(
            "QF305",
            f"`{name}` is not a plan: {why}",
            help="write one with `qflow plan FILE --format json`",
        )
    )
