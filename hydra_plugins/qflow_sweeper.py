"""The sweeper of `python -m qflow.hydra`: every point is compiled before one of them runs."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

__all__ = ["QflowSweeper"]


class QflowSweeper(Sweeper):
    def __init__(
        self, params: dict[str, str] | None = None, max_batch_size: int | None = None
    ) -> None:
        """`params` as those of Hydra's own: what a configuration itself varies. Points are no
        batches, so that a size of them changes nothing."""
        self.params = dict(params or {})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context = hydra_context
        self.config = config

    def sweep(self, arguments: list[str]) -> Any:
        from qflow.hydra.sweep import sweep

        assert self.hydra_context is not None
        assert self.config is not None
        lines = [*(f"{key}={value}" for key, value in self.params.items()), *arguments]
        return sweep(self.hydra_context.config_loader, self.config, lines)
