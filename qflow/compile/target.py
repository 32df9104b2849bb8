"""target: the `target` block: which march, and what happens to an operator it does not list."""

from dataclasses import replace
from typing import Literal

from qflow import march
from qflow.compile import colour, facts
from qflow.compile.unit import Unit
from qflow.compile.values import EITHER, Reader, unknown
from qflow.plan.plan import TargetSpec


def read(unit: Unit) -> Unit:
    """Sets `target` and `march`, if the block names a march that exists."""
    if not unit.program.targets:
        return unit
    block = unit.program.targets[0]
    fields = Reader(f"target `{block.name}`", block.name_span, block.fields)
    name = fields.required("march", EITHER, '"nash-m"')
    if name is not None and name not in march.names():
        fields.add(unknown("march", name, march.names(), fields.span("march")))
        name = None
    profile = fields.optional("profile", EITHER)
    profiles = facts.known("emulation.profiles")
    # the language writes `tosa.single`, the file is tosa_single.py
    if profile is not None and profile.replace(".", "_") not in profiles:
        fields.add(unknown("profile", profile, profiles, fields.span("profile")))
    unlisted: Literal["error", "float"] = "error"
    if fields.one_of("unlisted", ("error", "float"), "error") == "float":
        unlisted = "float"
    fields.one_of("emulation", ("integer",), "integer")
    conversions = colour.read(fields)
    unit = unit.having(fields.findings())
    if name is None:
        return unit
    found = march.load(name)
    chosen = profile.replace(".", "_") if profile else found.profile
    spans = tuple(s for s in fields.spans() if s[0] == "colour")
    target = TargetSpec(
        block.name, name, chosen, unlisted, fields.span("march"), conversions, spans
    )
    return replace(unit, target=target, march=found)
