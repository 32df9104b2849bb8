"""words: params whose values are names: of an observer, a march, a qconfig, anything registered."""

from collections.abc import Mapping

from qflow import march
from qflow.compile import facts
from qflow.compile.names import known_qconfigs
from qflow.lang.program import Program

KINDS: Mapping[str, str] = {
    "observer": "quantization.observers",
    "profile": "emulation.profiles",
    "metric": "analysis.metrics",
    "similarity": "analysis.similarity",
    "optimizer": "engine.optimizers",
    "scheduler": "engine.schedulers",
    "loss": "engine.losses",
    "method": "engine.methods",
}
"""Type of a param to the folder of extensions its values are the names of."""
MARCH, QCONFIG = "march", "qconfig"
TYPES = (*KINDS, MARCH, QCONFIG)


def words(type_: str, program: Program) -> tuple[str, ...]:
    """Every value a param of this type can have. Raises KeyError for a type of another sort."""
    if type_ == MARCH:
        return march.names()
    if type_ == QCONFIG:
        return known_qconfigs(program)
    return facts.known(KINDS[type_])
