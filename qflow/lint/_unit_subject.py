"""What a .qf file and its lock tell the rules that look at models."""

from qflow.compile.unit import Unit
from qflow.plan.subject import Subject

_UNKNOWN = Subject()


def subject_of(unit: Unit) -> Subject:
    """Of a file that has no lock nothing is known: then every rule is silent."""
    if unit.inventory is None:
        return _UNKNOWN
    return Subject(
        inventory=unit.inventory,
        plans=unit.modules or None,
        dtypes={p.address: p.output_dtype for p in unit.modules} if unit.modules else None,
        fusions=unit.fusions,
        march=unit.march.name if unit.march else None,
        tail=unit.march.tail if unit.march else None,
        current_march=unit.march.name if unit.march else None,
        input_dtypes={p.name: p.dtype for p in unit.model.inputs} if unit.model else None,
        at=unit.model.at if unit.model else None,
        said=frozenset(d.code for d in unit.diagnostics),
    )
