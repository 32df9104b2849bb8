"""`python -m qflow.hydra`: compose a program from groups, and show, check, plan or run it."""

import sys
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from qflow import resources
from qflow.cli._report import Session, print_error
from qflow.diagnostics import EXIT, QflowError
from qflow.hydra import structured
from qflow.hydra.app import Asked, carry_out
from qflow.hydra.compose import of_config


def main() -> int:
    """The exit code of the worst point."""
    structured.register()
    codes: list[int] = []

    def task(config: DictConfig) -> int:
        codes.append(_point(config))
        return codes[-1]

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
        job = OmegaConf.select(config, "job")
        given = OmegaConf.to_container(job) if job is not None else {}
        assert isinstance(given, dict), "the typed config says so"
        out = given.get("out")
        asked = Asked(
            str(given.get("verb", "run")), Path(out) if out else None, str(given.get("form", "qf"))
        )
        return carry_out(of_config(config), asked)
    except QflowError as error:
        print_error(error, Session())
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
