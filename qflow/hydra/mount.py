"""mount: qflow's groups in the search path of any project, as `qflow/march`, `qflow/qconfig`, ...

Under this prefix no group of qflow meets one of the project, and all lands below the key `qflow`.
"""

from pathlib import Path
from typing import Any

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import OmegaConf

from qflow import resources

PREFIX = "qflow"
SCHEME = "qflow"
PATH = f"{SCHEME}://groups"


def file_of(config_path: str) -> Path | None:
    """The file behind `qflow/march/nash-m`; None when there is none."""
    inner = _inner(config_path.removesuffix(".yaml"))
    if not inner:
        return None
    path = resources.folder("conf") / f"{inner}.yaml"
    return path if path.is_file() else None


def _inner(config_path: str) -> str | None:
    """The path below `conf`; empty for the mount itself, None outside of it."""
    first, _, rest = config_path.strip("/").partition("/")
    if first != PREFIX or ".." in rest.split("/"):
        return None
    return rest


class QflowGroups(ConfigSource):
    """A config source of Hydra: the folder `conf`, with a prefix before groups and packages."""

    @staticmethod
    def scheme() -> str:
        return SCHEME

    def available(self) -> bool:
        return resources.folder("conf").is_dir()

    def is_group(self, config_path: str) -> bool:
        if not config_path.strip("/"):
            return True
        inner = _inner(config_path)
        return inner is not None and (resources.folder("conf") / inner).is_dir()

    def is_config(self, config_path: str) -> bool:
        return file_of(config_path) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if not config_path.strip("/"):
            return [PREFIX] if results_filter != ObjectType.CONFIG else []
        folder = resources.folder("conf") / (_inner(config_path) or "")
        found: list[str] = []
        for path in sorted(folder.iterdir()):
            name = f"{config_path.strip('/')}/{path.name}"
            if path.is_dir() or path.suffix == ".yaml":
                self._list_add_result(found, name, path.name, results_filter)
        return sorted(set(found))

    def load_config(self, config_path: str) -> ConfigResult:
        """Raises ConfigLoadError when there is no such file."""
        path = file_of(config_path)
        if path is None:
            raise ConfigLoadError(f"qflow has no config `{config_path}`")
        text = path.read_text(encoding="utf-8")
        header = self._get_header_dict(text)
        config: Any = OmegaConf.create(text)
        if "defaults" in config:
            listed: Any = OmegaConf.to_container(config.defaults)
            config.defaults = [_default(entry) for entry in listed]
        group = config_path.strip("/").rpartition("/")[0]
        header["package"] = _package(header.get("package"), group)
        return ConfigResult(
            config=config, path=self.full_path(), provider=self.provider, header=header
        )


def _default(entry: Any) -> Any:
    """An entry of a defaults list: groups from the root are below the prefix."""
    if isinstance(entry, dict):
        return {_default(key): value for key, value in entry.items()}
    return f"/{PREFIX}{entry}" if isinstance(entry, str) and entry.startswith("/") else entry


def _package(package: str | None, group: str) -> str:
    """Where the values go: below the prefix; without a header, under the group's own name.

    Always given, because what is left out is relative to who asks for the file.
    """
    if package is None:
        return group.replace("/", ".")
    return PREFIX if package == "_global_" else f"{PREFIX}.{package}"
