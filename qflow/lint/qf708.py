"""QF708 (P8): an operator between the stubs reads a float tensor."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._graph import is_gemm
from qflow.plan.inventory import Module
from qflow.plan.subject import Subject

_STUBS = ("input", "output", "quant", "dequant", "constant")
_AFTER_FLOAT_GEMM = ("relu", "relu6", "add", "batch_norm")


class Qf708:
    """`not implemented for QTensor`, float32 inputs in the check file, operators on the CPU.

    Why: a second input or a constant tensor has no QuantStub, or the module before has no qconfig,
    so an operator that should be integer reads floats.

    How to mend: one QuantStub per float input; give the module before a qconfig. A relu or add
    behind a convolution with a float output is normal and not reported.

    Anti-pattern:

        y = self.quant(image) + mask

    Best practice:

        y = self.quant(image) + self.quant_mask(mask)
    """

    said_by = ("QF120", "QF278")

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.inventory is None or subject.dtypes is None:
            return
        inside = frozenset(m.address for m in subject.region)
        for module in subject.inventory.modules:
            floats = _floats(subject, module, inside)
            if floats:
                yield warning(
                    "QF708",
                    f"`{module.address}` ({module.type}) reads the float tensor `{floats[0]}`",
                    subject.at,
                    _help(subject, floats[0]),
                )


def _floats(subject: Subject, module: Module, inside: frozenset[str]) -> list[str]:
    """Float operands of a module that has a grid or integer operands, or lies behind a stub."""
    assert subject.inventory is not None
    if module.op in _STUBS:
        return []
    at = subject.at_run(module.address)
    sources = [s for s in subject.inventory.sources[module.address] if subject.at_run(s) != at]
    integer = subject.quantized(module.address) or any(subject.quantized(s) for s in sources)
    return [
        s
        for s in sources
        if (integer or (module.address in inside and s not in inside))
        and _is_float(subject, module, s)
    ]


def _is_float(subject: Subject, module: Module, address: str) -> bool:
    assert subject.inventory is not None
    source = subject.inventory.by_address[address]
    if subject.dtype_out(address) != "float32" or address in subject.floats:
        return False
    if address in subject.whole_numbers:
        return False
    if source.op == "input":
        return (subject.input_dtypes or {}).get(address, "float32").startswith("float")
    # of a batch norm that was not folded QF713 speaks
    return source.op != "batch_norm" and not (is_gemm(source) and module.op in _AFTER_FLOAT_GEMM)


def _help(subject: Subject, address: str) -> str:
    assert subject.inventory is not None
    if subject.inventory.by_address[address].op == "input":
        return "put a QuantStub of its own behind this input"
    return f"give `{address}` a qconfig, or put a QuantStub behind it"
