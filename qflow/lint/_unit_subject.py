"""What a .qf file and its lock tell the rules that look at models."""

from qflow.compile.unit import Unit
from qflow.diagnostics import has_errors
from qflow.plan.subject import Subject

_UNKNOWN = Subject()


def subject_of(unit: Unit) -> Subject:
    """Of a file without a lock, or a march, nothing is known: then every rule is silent."""
    if unit.inventory is None or unit.march is None:
        return _UNKNOWN
    # behind an error the plan has holes: a rule would find them again under another id
    planned = bool(unit.modules) and not has_errors(unit.diagnostics)
    return Subject(
        inventory=unit.inventory,
        plans=unit.modules if planned else None,
        dtypes={p.address: p.output_dtype for p in unit.modules} if planned else None,
        fusions=unit.fusions,
        march=unit.march.name,
        tail=unit.march.tail,
        current_march=unit.march.name,
        input_dtypes={p.name: p.dtype for p in unit.model.inputs}
        if unit.model and planned
        else None,
        floats=frozenset(unit.floats),
        at=unit.model.at if unit.model else None,
        said=frozenset(d.code for d in unit.diagnostics),
    )
