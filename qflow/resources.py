"""Files that ship beside the code: `grammar/` and `conf/`, inside the wheel or at the top of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `grammar` or `conf`: in an installed wheel below `qflow/`, in a checkout beside it."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
