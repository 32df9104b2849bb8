"""Files that ship beside the code: `grammar/` and `conf/`, in the wheel or in a checkout."""

from pathlib import Path
from typing import Any

from qflow import kept

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `grammar` or `conf`: below `qflow/` in a wheel, beside it in a checkout."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def read_yaml(path: Path) -> Any:
    """Plain data of a YAML file that ships with qflow or a plugin."""
    return kept.made_of([path], lambda: _parsed(path), "yaml")


def _parsed(path: Path) -> Any:
    import yaml

    # the same loader in C, ten times as fast, where PyYAML was built with it
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
