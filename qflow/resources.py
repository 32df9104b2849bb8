"""Files that ship beside the code: `grammar/` and `conf/`, in the wheel or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `grammar` or `conf`: below `qflow/` in a wheel, beside it in a checkout."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
