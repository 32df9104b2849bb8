"""run: one file, from its text to a verified integer model."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qflow import registry
from qflow.compile.front import Front, front
from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail
from qflow.engine import files
from qflow.engine.console import Console
from qflow.engine.folder import RunFolder
from qflow.plan.plan import Plan


def run(
    path: Path,
    settings: Mapping[str, str],
    out: Path | None,
    from_stage: str | None,
    console: Console,
) -> int:
    """The exit code: 0, or 1 when an `assert` is false, or 130 after Ctrl-C.

    Raises QflowError: exit code 2 for what cannot be done, 3 when a stage or user code failed.
    """
    found = understand(path, settings)
    if found.plan is not None:
        again(found.plan, from_stage)
    folder = RunFolder(run_folder(path, out))
    with folder.open():
        try:
            console.log.open(folder.log)
            # said where it still holds when the model was traced and the tables were measured
            console.diagnose(d for d in found.diagnostics if d.code not in ("QF304", "QF280"))
            # torch is imported from here on: a mistake in the file is answered without it
            from qflow.engine.session import execute

            return execute(path, found, settings, folder, from_stage, console)
        except OSError as error:
            # a full disk, or a run folder that somebody took away: nothing qflow did wrong
            if not files.is_about(error, folder.root):
                raise
            where = Path(error.filename or folder.root)
            raise files.unwritable(where, error, EXIT.failed) from error
        except QflowError as error:
            console.log.error(error)
            error.sources = {**found.sources, **error.sources}
            raise
        except KeyboardInterrupt:
            console.say("interrupted", "the same command goes on from here")
            return EXIT.interrupted


def understand(path: Path, settings: Mapping[str, str]) -> Front:
    """The file, its lock where there is one, and its plan. Raises QflowError with every error."""
    found = front(path, settings)
    # a plan made from another model's lock is none: what is a warning to a reader stops a run
    diagnostics = tuple(
        replace(d, severity="error") if d.code == "QF301" else d for d in found.diagnostics
    )
    if any(d.severity == "error" for d in diagnostics):
        raise QflowError(diagnostics, sources=dict(found.sources))
    return found


def run_folder(path: Path, out: Path | None) -> Path:
    """`runs/<name of the file>` below the current folder, unless another one is asked for."""
    return out if out is not None else Path("runs") / path.stem


def again(plan: Plan, from_stage: str | None) -> tuple[str, ...]:
    """The stages `--from` asks to make again. Raises QflowError QF110 for a stage there is not."""
    names = tuple(name for name, _ in plan.hashes)
    if from_stage is None:
        return ()
    if from_stage in names:
        return names[names.index(from_stage) :]
    near = registry.nearest(from_stage, names)
    raise fail(
        Diagnostic(
            "QF110",
            f"`--from {from_stage}`: there is no such stage",
            notes=(f"the nearest is `{near[0]}`",) if near else (),
            help=f"the stages are {', '.join(f'`{n}`' for n in names)}",
        )
    )
