"""candidate: the program a table is measured with: one qconfig everywhere, calibrated once."""

from collections.abc import Mapping
from dataclasses import replace

from qflow import compile as compiler
from qflow.compile.unit import SensitivitySpec, Unit
from qflow.diagnostics import QflowError
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Plan

STAGE = "calibrate"


def compiled(
    program: Program, spec: SensitivitySpec, inventory: Inventory, settings: Mapping[str, str]
) -> tuple[Plan, Unit]:
    """The plan in which every module has the candidate qconfig.

    Raises QflowError with what is wrong: a march that cannot do the candidate, among others.
    """
    found = compiler.compile(_program(program, spec), inventory, settings)
    if found.plan is None:
        raise QflowError(found.diagnostics)
    return found.plan, found.unit


def _program(program: Program, spec: SensitivitySpec) -> Program:
    """Model, target, data and qconfigs of the file; rules, stages and checks of our own."""
    at = spec.at
    everything = syntax.Selector((syntax.ByName("**", span=at),), (), span=at)
    use = syntax.UseAction(spec.candidate, (), span=at)
    state = syntax.SetState(everything, "calibration", span=at)
    stage = syntax.Stage(STAGE, spec.data, None, (state,), span=at)
    graphs = tuple(
        # a fusion the file insists on may not exist at the candidate's dtypes
        replace(g, statements=tuple(s for s in g.statements if not isinstance(s, syntax.Fuse)))
        for g in program.graphs
    )
    return replace(
        program,
        graphs=graphs,
        sensitivities=(),
        rule_sets=(),
        quantizes=(syntax.Quantize((syntax.DefaultRule(use, span=at),), span=at),),
        schedules=(syntax.Schedule((stage,), span=at),),
        checks=(),
        exports=(),
        sweeps=(),
    )
