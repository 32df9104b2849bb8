"""report: what came out, for people: accuracies, exactness, checks, stages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qflow.engine.runner import Done
from qflow.engine.verdict import Verdict

_LANES = {
    "float": "float model",
    "fake_quant": "fake-quantized",
    "integer": "integer, fast path",
    "oracle": "integer, oracle",
    "onnxruntime": "onnxruntime",
}
_STYLE = {"proved": "green", "holds": "green", "fails": "bold red", "warning": "yellow"}


def report(
    summary: Mapping[str, Any], done: Mapping[str, Done], verdicts: Sequence[Verdict]
) -> RenderableType:
    """Everything in one printable."""
    parts: list[RenderableType] = [Text()]
    if summary["metrics"]:
        parts += [_metrics(summary), Text()]
    parts += [*_exactness(summary), Text()]
    if verdicts:
        parts += [_checks(verdicts), Text()]
    parts.append(_stages(done))
    return Group(*parts)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        numbers = name in ("images", "against float", "seconds") or name.startswith("accuracy")
        table.add_column(name, justify="right" if numbers else "left", overflow="fold")
    return table


def _metrics(summary: Mapping[str, Any]) -> Table:
    """A row per lane: its metric, and how far that is from the float model."""
    metrics = summary["metrics"]
    metric = next(iter(metrics["float"]))
    data = summary["data"]
    table = _table(f"lane, {data['samples']} samples of `{data['name']}`", metric, "against float")
    table.columns[1].justify = "right"
    base = metrics["float"][metric]
    for lane in sorted(metrics, key=_position):
        value = metrics[lane][metric]
        change = "" if lane == "float" else f"{(value - base) * 100:+.2f} points"
        table.add_row(_LANES.get(lane, lane), f"{value:.2%}", change)
    return table


def _position(lane: str) -> int:
    return list(_LANES).index(lane) if lane in _LANES else len(_LANES)


def _exactness(summary: Mapping[str, Any]) -> Iterator[Text]:
    """What the integers are worth, one fact per line."""
    oracle = summary["oracle"]
    if oracle:
        same = oracle["mismatches"] == 0
        counted = f"{oracle['mismatches']:,} of {oracle['integers']:,} integers"
        style = "green" if same else "bold red"
        yield Text(f"fast path and oracle differ in {counted}", style=style)
    for name in ("onnxruntime", *sorted(set(summary) & {"tflite"})):
        if name not in summary:
            continue
        found = summary[name]
        yield Text(
            f"{name} is at most {found['max_steps']:g} output steps from the emulator in its "
            f"arithmetic, {found['target_max_steps']:g} from {summary['target']['march']}; "
            f"same class on {found['same_class']:.2%}"
        )
    yield Text(f"runs as integers: {_covered(summary['integer']['coverage'])}")


def _covered(coverage: Mapping[str, Any]) -> str:
    operators, macs = coverage["operators"], coverage["multiply_accumulates"]
    return (
        f"{operators['integer']} of {operators['total']} operators, "
        f"{macs['share']:.1%} of {macs['total']:,} multiply-accumulates per sample"
    )


def _checks(verdicts: Sequence[Verdict]) -> Table:
    table = _table("check", "", "measured")
    for v in verdicts:
        word = Text(v.word, style=_STYLE[v.word])
        table.add_row(f"{v.claim.severity} {v.claim.text}", word, _value(v.value))
    return table


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _stages(done: Mapping[str, Done]) -> Table:
    table = _table("stage", "", "seconds")
    for name, d in done.items():
        table.add_row(name, d.how, f"{d.seconds:.1f}")
    return table
