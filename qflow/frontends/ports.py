"""ports: the inputs and outputs a model block declares against those of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError
from qflow.frontends.source import FilePort, Source
from qflow.plan.plan import PortPlan


def refuse_others(
    inputs: Sequence[PortPlan], outputs: Sequence[PortPlan], source: Source, shown: str
) -> None:
    """Raises QflowError QF366 with everything that does not fit."""
    found = [*_names("input", inputs, source.inputs, shown)]
    found += _names("output", outputs, source.outputs, shown)
    if not found:
        for declared, own in ((inputs, source.inputs), (outputs, source.outputs)):
            for port, file_port in zip(declared, own, strict=True):
                found += _form(port, file_port, shown)
    if found:
        raise QflowError(tuple(found))


def _names(
    role: str, declared: Sequence[PortPlan], own: Sequence[FilePort], shown: str
) -> Iterator[Diagnostic]:
    names, theirs = [p.name for p in declared], [p.name for p in own]
    listed = ", ".join(f"`{n}`" for n in theirs) if all(theirs) else str(len(theirs))
    if len(names) != len(theirs):
        many = f"{len(names)} {role}{'s' if len(names) != 1 else ''}"
        yield _refused(f"the model block declares {many}, and `{shown}` has {listed}", role)
        return
    if not all(theirs) or names == theirs:
        return
    if sorted(names) == sorted(theirs):
        message = f"the {role}s stand in another order than in `{shown}`"
        yield _refused(message, role, f"there it is {listed}")
        return
    for name in names:
        if name not in theirs:
            near = registry.nearest(name, tuple(theirs)) or tuple(theirs)
            note = f"the nearest: {', '.join(f'`{n}`' for n in near)}"
            yield _refused(f"`{shown}` has no {role} `{name}`", role, note)


def _form(port: PortPlan, own: FilePort, shown: str) -> Iterator[Diagnostic]:
    if own.dtype and own.dtype != port.dtype:
        yield _refused(
            f"`{port.name}` is {port.dtype} in the model block and {own.dtype} in `{shown}`", ""
        )
    if own.dims is None:
        return
    fits = len(own.dims) == len(port.dims) and all(
        theirs is None or mine == theirs for mine, theirs in zip(port.dims, own.dims, strict=True)
    )
    if not fits:
        mine = ", ".join(map(str, port.dims))
        theirs = ", ".join("any" if n is None else str(n) for n in own.dims)
        text = f"`{port.name}` is [{mine}] in the model block and [{theirs}] in `{shown}`"
        yield _refused(text, "")


def _refused(message: str, role: str, *notes: str) -> Diagnostic:
    help_ = (
        f"write `{role}` with the names of the file, in its order"
        if role
        else "write the shape of the file, or make the file with a free dimension"
    )
    return Diagnostic("QF366", message, notes=notes, help=help_)
