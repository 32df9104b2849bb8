"""What Hydra finds of qflow in any project: its config groups, below the prefix `qflow/`."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from qflow.hydra.mount import PATH, QflowGroups

__all__ = ["QflowGroups", "QflowSearchPath"]


class QflowSearchPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        from qflow.hydra import structured

        structured.register()
        search_path.append(provider="qflow", path=PATH)
