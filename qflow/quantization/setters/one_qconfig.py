"""one_qconfig: a QConfig given in place of a setter: everything gets it, outputs stay precise."""

from __future__ import annotations

from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.quantization.deciding import Setter
from qflow.quantization.qconfig import QConfig
from qflow.quantization.setters.default import DefaultSetter


def setters_of(given: Any) -> tuple[Setter, ...]:
    """What `prepare` was given as setters: one, several, or a QConfig for the whole model.

    Raises QflowError: QF113 for anything else.
    """
    if given is None:
        return ()
    if isinstance(given, QConfig):
        return (DefaultSetter("qconfig", given),)
    if isinstance(given, Setter):
        return (given,)
    # a QConfig unpacks, so it is asked for before tuples are
    if isinstance(given, (tuple, list)):
        return tuple(s for one in given for s in setters_of(one))
    raise fail(
        Diagnostic(
            "QF113",
            f"`qconfig_setter` is a setter, a tuple of them or a QConfig, not `{given!r}`",
            help="setters are in `qflow.quantization.qconfig_template`",
        )
    )
