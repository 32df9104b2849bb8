"""stages: what the file says of each stage: its data, its epochs, how it trains."""

from dataclasses import replace

from qflow.compile import epochs as begins
from qflow.compile import training
from qflow.compile.unit import StageSpec, Unit
from qflow.compile.values import INTEGER, Reader, outside, wrong_kind
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax


def read(unit: Unit) -> Unit:
    """Sets `stages` and `skipped`; a stage with `epochs 0` is skipped."""
    stages: list[StageSpec] = []
    skipped: list[str] = []
    found: list[Diagnostic] = []
    data = [d.name for d in unit.program.data]
    for stage in (s for x in unit.program.schedules[:1] for s in x.stages):
        epochs = _epochs(stage, found)
        fields = [s for s in stage.statements if isinstance(s, syntax.Field)]
        reader = Reader(f"stage `{stage.name}`", stage.span, fields)
        settings = _settings(stage, reader, fields, data)
        found += reader.findings()
        if stage.epochs is not None and epochs == 0:
            skipped.append(stage.name)
            continue
        trains = stage.epochs is not None or any(f.name == "method" for f in fields)
        found += begins.problems(stage.statements, epochs, trains)
        states = tuple(s for s in stage.statements if isinstance(s, syntax.SetState))
        freezes = tuple(s for s in stage.statements if isinstance(s, syntax.Freeze))
        stages.append(
            StageSpec(stage.name, stage.data, epochs, settings, states, stage.span, freezes)
        )
    return replace(unit, stages=tuple(stages), skipped=tuple(skipped)).having(found)


def _epochs(stage: syntax.Stage, found: list[Diagnostic]) -> int:
    """0 without `epochs`; 1 when it is wrong, so that the rest of the stage is still judged."""
    if stage.epochs is None:
        return 0
    value = INTEGER.of(stage.epochs)
    if value is None:
        found.append(wrong_kind("epochs", INTEGER, stage.epochs))
        return 1
    if value < 0:
        found.append(outside("epochs", "0 or more", stage.epochs))
        return 1
    return value


def _settings(
    stage: syntax.Stage, reader: Reader, fields: list[syntax.Field], data: list[str]
) -> training.Settings:
    chosen = next((f for f in fields if f.name == "method"), None)
    if chosen is not None and stage.epochs is not None:
        reader.add(
            Diagnostic(
                "QF112",
                "a stage with a `method` has no epochs",
                at=stage.epochs.span,
                help="delete `epochs`, or train in a stage of its own",
            )
        )
    if chosen is not None:
        return training.method(reader, fields)
    if stage.epochs is not None:
        return training.train(reader, fields, data)
    if fields:
        for field in fields:
            reader.value(field.name)
        reader.add(
            Diagnostic(
                "QF112",
                "this stage does not train, so nothing reads its fields",
                at=fields[0].name_span,
                help="write `epochs 1` behind its data, or delete the fields",
            )
        )
    return ()
