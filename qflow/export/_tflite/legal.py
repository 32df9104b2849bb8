"""legal: what an `export tflite` block asks that the format, or the plan, cannot give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qflow import registry
from qflow.diagnostics import Diagnostic
from qflow.export._onnx import legal
from qflow.export._tflite import settings
from qflow.export._tflite.settings import BATCH, LARGEST_BATCH, RESOLVERS, SUFFIX, Settings

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan, Plan

KEPT = "int32"


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """Every finding, in the order: path, settings, target, operators, names, layouts, dtypes."""
    asked = settings.read(export)
    other = tuple(_target(export, plan))
    return (
        *legal.path_of(export, SUFFIX),
        *_settings(asked, export),
        # of another target the operators are others too
        *(other or _operators(asked, export, plan)),
        *legal.ports(asked, export, plan),
    )


def _settings(asked: Settings, export: ExportPlan) -> Iterator[Diagnostic]:
    if asked.resolver and asked.resolver not in RESOLVERS:
        known = tuple(RESOLVERS)
        close = registry.nearest(asked.resolver, known) or known
        yield Diagnostic(
            "QF111",
            f"resolver `{asked.resolver}` is none of LiteRT's",
            at=export.at,
            notes=(f"there are {', '.join(f'`{k}`' for k in known)}",),
            help=f'write `resolver = "{close[0]}"`',
        )
    if not 1 <= asked.batch <= LARGEST_BATCH:
        yield Diagnostic(
            "QF111",
            f"batch {asked.batch} is none of 1 to {LARGEST_BATCH}",
            at=export.at,
            help=f"write `batch = {BATCH}`",
        )


def _target(export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    # a plan names the file of a profile
    if plan.target.profile not in {p.replace(".", "_") for p in RESOLVERS.values()}:
        yield Diagnostic(
            "QF346",
            f"a TFLite file computes as LiteRT does, and the target as `{plan.target.profile}`",
            at=export.at,
            notes=(f"LiteRT's profiles: {', '.join(f'`{p}`' for p in RESOLVERS.values())}",),
            help='write `march = "tflite"` in the target, or leave this export out',
        )


def _operators(asked: Settings, export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    """What a plan alone tells; forms of operators are seen when the file is written."""
    for module in plan.modules:
        if module.absorbed_by is None and module.output_dtype == KEPT and module.weight is not None:
            yield Diagnostic(
                "QF502",
                f"`{module.address}` keeps its accumulator, and TFLite gives activations",
                at=export.at,
                help="take the layer out of the tail, or leave this export out",
            )
        elif module.act is not None and module.op in NORMS and not asked.floats:
            yield Diagnostic(
                "QF502",
                f"TFLite has no integer kernel for `{module.op}`, at `{module.address}`",
                at=export.at,
                help="write `floats = true` in the export, or leave it out",
            )


NORMS = ("layer_norm",)
"""Operators that are written as float ones where `floats` lets them."""
