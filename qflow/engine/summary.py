"""summary: what came out, for programs: `summary.json`, without a time or a path in it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qflow.analysis.lanes import BUILT_IN
from qflow.diagnostics import Diagnostic
from qflow.engine.extension import metric_name
from qflow.engine.runner import Done
from qflow.engine.verdict import Verdict
from qflow.engine.work import judged_on
from qflow.plan.plan import Plan

FORMAT_VERSION = "1.0"


def summarize(
    plan: Plan,
    done: Mapping[str, Done],
    results: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    diagnostics: Sequence[Diagnostic],
) -> dict[str, Any]:
    """Plain data. Two runs of one command differ in `stages.*.seconds` only, killed or not."""
    name = judged_on(plan)
    measured = results["data"][name] if name is not None else {}
    return {
        "format_version": FORMAT_VERSION,
        "program": plan.path,
        "params": dict(plan.params),
        "target": {"march": plan.target.march, "profile": plan.target.profile},
        "plan": dict(plan.hashes)["verify"],
        "data": {"name": name, "samples": measured.get("samples", 0)},
        "metrics": metrics(measured),
        "oracle": {k: v for k, v in measured.get("oracle", {}).items() if k != "nodes"},
        **exports(measured),
        "integer": {"coverage": results["coverage"]},
        "checks": [_check(v) for v in verdicts],
        "diagnostics": sorted({d.code for d in diagnostics}),
        "stages": {
            stage: {"seconds": round(d.seconds, 3), "reused": d.reused} for stage, d in done.items()
        },
    }


def render(summary: Mapping[str, Any]) -> str:
    return json.dumps(summary, indent=2, sort_keys=True) + "\n"


def metrics(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Per lane its metric; the exported file is called by its runtime."""
    found = dict(measured.get("metrics", {}))
    lanes = {_runtime(lane): lane for lane in found if not lane.startswith("emulator@")}
    return {name: found[lane] for name, lane in lanes.items()}


def promised(plan: Plan) -> tuple[str, ...]:
    """`integer.accuracy` and so on: the metrics that the summary of a run will hold."""
    name = judged_on(plan)
    metric = next((d.metric for d in plan.data if d.name == name), None)
    if metric is None:
        return ()
    lanes = (*BUILT_IN, *(f"export.{e.target}" for e in plan.exports))
    found = metrics({"metrics": dict.fromkeys(lanes)})
    return tuple(f"{lane}.{metric_name(metric)}" for lane in found)


def exports(measured: Mapping[str, Any]) -> dict[str, Any]:
    """`{"onnxruntime": {"max_steps", "target_max_steps", "same_class"}}`."""
    return {_runtime(f"export.{k}"): v for k, v in measured.get("exports", {}).items()}


def _runtime(lane: str) -> str:
    """`export.onnx` is run by onnxruntime; another target keeps its own name."""
    return {"export.onnx": "onnxruntime"}.get(lane, lane.removeprefix("export."))


def _check(verdict: Verdict) -> dict[str, Any]:
    against = {} if verdict.against is None else {"against": verdict.against}
    return {
        **against,
        "claim": verdict.claim.text,
        "severity": verdict.claim.severity,
        "line": verdict.claim.at.line,
        "value": verdict.value,
        "verdict": verdict.word,
    }
