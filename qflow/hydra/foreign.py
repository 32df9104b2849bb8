"""foreign: launchers and sweepers of Hydra's own: qflow runs points by its own, and says so."""

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from qflow.diagnostics import Diagnostic, QflowError, fail

_GROUPS = ("launcher", "sweeper")
_DEFAULT = "basic"


def refuse(arguments: Sequence[str]) -> None:
    """Raises QflowError QF150 where a command line chooses one.

    Asked before Hydra is, which would say first that it does not find a plugin.
    """
    for argument in arguments:
        key, _, choice = argument.partition("=")
        for group in _GROUPS:
            if key.lstrip("+") == f"hydra/{group}" and choice != _DEFAULT:
                raise chosen(group, choice)


def refuse_launcher(config: DictConfig) -> None:
    """Raises QflowError QF150 where a configuration itself chooses one."""
    choice = OmegaConf.select(config, "hydra.runtime.choices").get("hydra/launcher", _DEFAULT)
    if choice != _DEFAULT:
        raise chosen("launcher", str(choice))


def chosen(group: str, choice: str) -> QflowError:
    """QF150."""
    if group == "launcher":
        help_ = f"write `launcher={choice}`, or `+launcher={choice}` where none is chosen yet"
    else:
        help_ = "leave it out: qflow's own takes lists, `range(...)`, `glob(...)` and `choice(...)`"
    return fail(
        Diagnostic(
            "QF150",
            f"`hydra/{group}={choice}` is Hydra's, and qflow runs points by its own",
            notes=("it compiles every point before one runs, and points share their stages",),
            help=help_,
        )
    )
