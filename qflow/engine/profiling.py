"""profiling: what `qflow profile` does: find the integer graph, and time its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail
from qflow.engine import files
from qflow.engine.console import Console
from qflow.engine.folder import RunFolder
from qflow.engine.run import run_folder, understand

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.graph import IntegerGraph
    from qflow.emulation.runtimes.timing import Timed

SUFFIX = ".safetensors"
SEED = 0


@dataclass(frozen=True)
class Setting:
    """How it is timed."""

    batch: int
    runs: int
    threads: int | None
    device: str


@dataclass(frozen=True)
class Profiled:
    """What was timed, and how."""

    march: str
    profile: str
    batch: int
    runs: int
    threads: int
    device: str
    nodes: tuple[Timed, ...]

    @property
    def seconds(self) -> float:
        return sum(node.seconds for node in self.nodes)


def profile(
    path: Path,
    settings: Mapping[str, str],
    out: Path | None,
    setting: Setting,
    console: Console,
) -> Profiled:
    """Raises QflowError: as `run` for a .qf file, as `emulation.file.load` for an integer file, and
    QF535 for a device that is not there."""
    if path.suffix == SUFFIX:
        from qflow.emulation import file

        return measure(file.load(path), setting)
    return measure(_graph_of_run(path, settings, out, console), setting)


def measure(graph: IntegerGraph, setting: Setting) -> Profiled:
    """Random inputs through every node. Raises QflowError QF535."""
    import torch

    from qflow.emulation.runtimes.timing import timed
    from qflow.emulation.runtimes.torch import TorchRuntime

    before = torch.get_num_threads()
    torch.set_num_threads(setting.threads or before)
    try:
        inputs = _inputs(graph, setting)
        nodes = timed(TorchRuntime(graph), inputs, setting.runs)
        how = (setting.batch, setting.runs, torch.get_num_threads(), setting.device)
        return Profiled(graph.march, graph.profile, *how, nodes)
    finally:
        torch.set_num_threads(before)


def _inputs(graph: IntegerGraph, setting: Setting) -> dict[str, Tensor]:
    import torch

    random = torch.Generator().manual_seed(SEED)
    made = {}
    for node in (graph.by_id[i] for i in graph.inputs):
        shape = (setting.batch, *node.output.shape[1:])
        is_float = node.output.dtype == "float32"
        # whole numbers are indices and masks: 0 is one of each
        values = torch.randn(shape, generator=random) if is_float else torch.zeros(shape)
        made[node.address] = values
    try:
        return {name: values.to(setting.device) for name, values in made.items()}
    except (RuntimeError, AssertionError) as error:
        text = str(error).splitlines()[0]
        message = f"there is no device `{setting.device}` here: {text}"
        raise fail(
            Diagnostic("QF535", message, help="use cpu, or cuda where there is one")
        ) from None


def _graph_of_run(
    path: Path, settings: Mapping[str, str], out: Path | None, console: Console
) -> IntegerGraph:
    """The integer graph in the layout of the march. Stages an earlier run made are taken over."""
    found = understand(path, settings)
    folder = RunFolder(run_folder(path, out))
    with folder.open():
        try:
            console.log.open(folder.log)
            # torch is imported from here on
            from qflow.emulation import file
            from qflow.engine import session
            from qflow.engine.cache import Cache
            from qflow.engine.runner import run_stages
            from qflow.engine.work import CONVERT, INTEGER

            work, _ = session.begin(path, found, settings, console)
            state = session.bring_up(work, folder, None)
            run_stages(work, Cache(folder.cache), state, ())
            state.end()
            return file.load(work.made[CONVERT].folder / INTEGER)
        except OSError as error:
            if not files.is_about(error, folder.root):
                raise
            where = Path(error.filename or folder.root)
            raise files.unwritable(where, error, EXIT.failed) from error
        except QflowError as error:
            error.sources = {**found.sources, **error.sources}
            raise
