"""`python -m qflow.hydra`: compose a program from groups, and show, check, plan or run it."""

import sys
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import DictConfig

from qflow import resources
from qflow.cli._report import Session, print_error
from qflow.diagnostics import EXIT, QflowError
from qflow.hydra import asked, foreign, structured
from qflow.hydra.app import carry_out
from qflow.hydra.compose import of_config
from qflow.hydra.sweep import CODES


def main() -> int:
    """The exit code of the worst point."""
    structured.register()
    # Hydra brings its own with its plugins, which must not come after ours
    Plugins.instance()
    structured.sweeper()
    codes: list[int] = []
    CODES.set(codes)

    def task(config: DictConfig) -> int:
        codes.append(_point(config))
        return codes[-1]

    try:
        foreign.refuse(sys.argv[1:])
    except QflowError as error:
        print_error(error, Session())
        return error.exit_code
    _hydra_main(task)()
    return max(codes, default=EXIT.yes)


def _hydra_main(task: Any) -> Any:
    folder = str(resources.folder("conf"))
    # 1.4 has no versions of defaults any more, and warns of the argument
    known = tuple(int(part) for part in hydra.__version__.split(".")[:2])
    if known >= (1, 4):
        return hydra.main(config_path=folder, config_name="config")(task)
    return hydra.main(config_path=folder, config_name="config", version_base=None)(task)


def _point(config: DictConfig) -> int:
    try:
        running = HydraConfig.get()
        if running.mode == RunMode.MULTIRUN:
            # a configuration that names a sweeper: ours would not have come here
            raise foreign.chosen("sweeper", str(running.runtime.choices.get("hydra/sweeper")))
        return carry_out(of_config(config), asked.of(config))
    except QflowError as error:
        print_error(error, Session())
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
