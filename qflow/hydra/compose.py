"""compose: a configuration of Hydra as a Program whose nodes know the files they came from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qflow.compile.front import Front, judged
from qflow.diagnostics import Diagnostic, QflowError, Span
from qflow.hydra import interpolations, origins
from qflow.hydra.overlay import Overlay
from qflow.lang.parse import Parsed
from qflow.lang.program import Program, program_of
from qflow.lang.yaml.reader import from_node

COMMAND_LINE = "command line"
"""What spans show for a value that was given there."""
OWN = ("hydra", "job")
"""Keys beside those of the program: what Hydra keeps in the root, and what the app is asked for."""


@dataclass(frozen=True)
class Composed:
    """What a configuration says."""

    file: Path
    """The file it stands for: paths in the program, and its lock, are beside it."""
    parsed: Parsed
    settings: Mapping[str, str]
    """Params whose value was given over the declared one, as with `--set`."""
    texts: Mapping[str, str]
    """Text by path of every file of the composition."""

    @property
    def program(self) -> Program:
        """The program. Raises QflowError with all that is wrong with it."""
        if self.parsed.file is None:
            raise QflowError(self.parsed.diagnostics, sources=dict(self.texts))
        parts = tuple(sorted({*self.texts} - {self.file.as_posix()}))
        return replace(program_of(self.parsed.file), parts=parts)

    def front(self, locked: bool = False) -> Front:
        """All that can be said of it without torch, as of a file."""
        return judged(self.parsed, self.file, self.texts, self.settings, locked)


def compose(
    config_name: str | None,
    overrides: Sequence[str] = (),
    at: str = "",
    file: Path | None = None,
) -> Composed:
    """Compose by Hydra's compose API, which the caller has initialized.

    `at` is the key the program stands under: `qflow` where a project composes qflow's groups.
    Raises QflowError: QF148 what Hydra says, QF146 what is filled in from outside.
    """
    try:
        config = hydra_compose(config_name, [*overrides], return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        return of_config(config, at, file)
    except (HydraException, OmegaConfBaseException) as error:
        raise QflowError((not_composed(error),)) from error


def of_config(
    config: DictConfig,
    at: str = "",
    file: Path | None = None,
    given: Sequence[str] | None = None,
    known: origins.Origins | None = None,
) -> Composed:
    """As `compose`, of what `hydra.main` hands to its function. Raises as `compose`.

    `given` is what the command line said, where that is more than the overrides of this one;
    `known` is what `find_origins` says, where that was asked before.
    """
    if found := tuple(interpolations.problems(config, at)):
        raise QflowError(found)
    known = find_origins() if known is None else known
    node = known.at(at)
    shown = _file(config, at, file)
    start = Span(shown.as_posix(), 1, 1, 1, 1)
    try:
        data = _plain(config, at)
    except OmegaConfBaseException as error:
        raise QflowError((not_composed(error),)) from error
    own = HydraConfig.get().overrides.task if HydraConfig.initialized() else ()
    lines = [*(own if given is None else given)]
    overlay = Overlay(start, given=_given(lines))
    tree = overlay.program(data, node, at)
    # what stands there can be wrong as well, and is then shown
    texts = {**known.texts, COMMAND_LINE: "\n".join(lines)} if lines else known.texts
    return Composed(shown, from_node(tree, start), overlay.settings, texts)


def _given(lines: Sequence[str]) -> dict[str, Span]:
    """Where the command line gives a value, by its key; choices of groups are no values."""
    found: dict[str, Span] = {}
    for number, line in enumerate(lines, 1):
        key, equals, _ = line.partition("=")
        if equals:
            at = Span(COMMAND_LINE, number, 1, number, len(line.split("\n")[0]) + 1)
            found[key.strip().lstrip("+~")] = at
    return found


def _file(config: DictConfig, at: str, file: Path | None) -> Path:
    """The file a configuration stands for, by `job.file`, or named after the configuration."""
    if file is not None:
        return file
    for place in ("job.file", f"{at}.job.file".lstrip(".")):
        if given := OmegaConf.select(config, place):
            return Path(str(given))
    name = HydraConfig.get().job.config_name if HydraConfig.initialized() else None
    return Path(f"{name or 'pipeline'}.yaml".replace(".yaml.yaml", ".yaml"))


def _plain(config: DictConfig, at: str) -> dict[Any, Any]:
    node: Any = OmegaConf.select(config, at) if at else config
    if not isinstance(node, DictConfig):
        message = f"the configuration has no program at `{at}`"
        help_ = "compose one: `defaults: [qflow/march: nash-m, ...]`"
        raise QflowError((Diagnostic("QF148", message, help=help_),))
    # key by key: what Hydra itself has in the root is no part of it, and not to be filled in
    return {key: _resolved(node[key]) for key in node if key not in OWN}


def _resolved(value: Any) -> Any:
    if not OmegaConf.is_config(value):
        return value
    return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)


def find_origins() -> origins.Origins:
    """From the loader of the Hydra that is running; nothing where there is none.

    It is the same where the same groups are chosen.
    """
    hydra = GlobalHydra.instance().hydra
    if hydra is None or not HydraConfig.initialized():
        return origins.Origins()
    config = HydraConfig.get()
    overrides = [*config.overrides.hydra, *config.overrides.task]
    loader = hydra.config_loader
    try:
        found = loader.compute_defaults_list(config.job.config_name, overrides, RunMode.RUN)
    except (HydraException, OmegaConfBaseException):
        # a search path of the configuration itself: its values have no place then
        return origins.Origins()
    return origins.of(found.defaults, config.runtime.config_sources)


def not_composed(error: Exception) -> Diagnostic:
    """QF148: the first line of what Hydra says, and the others as notes."""
    causes = _causes(error)
    lines = [line.strip() for text in causes for line in text.splitlines() if line.strip()]
    message = lines[0] if lines else type(error).__name__
    return Diagnostic("QF148", f"Hydra: {message}", notes=tuple(dict.fromkeys(lines[1:])))


def _causes(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__
