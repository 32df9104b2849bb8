"""report: what came out, for people: accuracies, exactness, checks, stages."""

from collections.abc import Mapping, Sequence
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
    parts += [_exactness(summary), Text()]
    if verdicts:
        parts += [_checks(verdicts), Text()]
    parts.append(_stages(done))
    return Group(*parts)


def _table(*columns: str, numbers: tuple[int, ...] = ()) -> Table:
    """`numbers` are the columns set flush right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, name in enumerate(columns):
        table.add_column(name, justify="right" if i in numbers else "left", overflow="fold")
    return table


def _metrics(summary: Mapping[str, Any]) -> Table:
    """A row per lane: its metric, and how far that is from the float model."""
    metrics = summary["metrics"]
    metric = next(iter(metrics["float"]))
    data = summary["data"]
    lanes = f"{data['samples']} samples of `{data['name']}`"
    table = _table(lanes, metric, "against float", numbers=(1, 2))
    base = metrics["float"][metric]
    for lane in sorted(metrics, key=_position):
        value = metrics[lane][metric]
        change = "" if lane == "float" else f"{(value - base) * 100:+.2f} points"
        table.add_row(_LANES.get(lane, lane), f"{value:.2%}", change)
    return table


def _position(lane: str) -> int:
    return list(_LANES).index(lane) if lane in _LANES else len(_LANES)


def _exactness(summary: Mapping[str, Any]) -> Table:
    """What the integers are worth, one fact per row."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    oracle = summary["oracle"]
    if oracle:
        wrong, total = oracle["mismatches"], oracle["integers"]
        style = "bold red" if wrong else "green"
        table.add_row(
            "fast path, oracle", Text(f"differ in {wrong:,} of {total:,} integers", style=style)
        )
    exports = {k: v for k, v in summary.items() if isinstance(v, dict) and "max_steps" in v}
    for name, found in exports.items():
        table.add_row(
            name,
            f"at most {found['max_steps']:g} output steps from the emulator "
            f"({summary['target']['march']}: {found['target_max_steps']:g})\n"
            f"same class on {found['same_class']:.2%} of the samples",
        )
    covered = summary["integer"]["coverage"]
    operators, macs = covered["operators"], covered["multiply_accumulates"]
    table.add_row(
        "as integers",
        f"{operators['integer']} of {operators['total']} operators, "
        f"{macs['share']:.1%} of {macs['total']:,} multiply-accumulates",
    )
    for left in covered["float"]:
        table.add_row("stays float", f"{left['address']} ({left['op']})  {left['why']}".rstrip())
    return table


def _checks(verdicts: Sequence[Verdict]) -> Table:
    table = _table("check", "", "measured")
    for v in verdicts:
        word = Text(v.word, style=_STYLE[v.word])
        table.add_row(f"{v.claim.severity} {v.claim.text}", word, _measured(v))
    return table


def _measured(verdict: Verdict) -> str:
    against = "" if verdict.against is None else f" against {_value(verdict.against)}"
    return f"{_value(verdict.value)}{against}"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _stages(done: Mapping[str, Done]) -> Table:
    table = _table("stage", "", "seconds", numbers=(2,))
    for name, d in done.items():
        table.add_row(name, d.how, f"{d.seconds:.1f}")
    return table
