"""QF717 (P17): a wider dtype was asked for than the hardware gives."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES
from qflow.lint._finding import warning
from qflow.plan.subject import Subject


class Qf717:
    """int16 was asked for, and the tables say int8.

    Why: the operator does not take it on this march (pooling, resize, the feature of grid_sample,
    the residual of a fused add, matmul with two wide inputs), so it is lowered.

    How to mend: read the cause; another operator, another march, or nn.Identity in front of an add
    that should not be fused.

    Anti-pattern:

        ModuleNameQconfigSetter({"pool": int16_qconfig})

    Best practice:

        ModuleNameQconfigSetter({"conv": int16_qconfig})
    """

    said_by = ("QF504",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        for address, field, asked, given, why in subject.changes or ():
            if _bits(given) < _bits(asked):
                yield warning(
                    "QF717",
                    f"`{address}`: {field} is {given}, {asked} was asked for",
                    subject.at,
                    "set what the hardware does, so that the file says what runs",
                    *((why,) if why else ()),
                )


def _bits(name: str) -> int:
    """Bits of an integer dtype; what is no dtype compares equal to itself."""
    found = DTYPES.get(name.removeprefix("q"))
    return found.bits if found and not found.is_float else 0
