"""QF709 (P9): a QuantStub behind something that is integer already."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.plan.subject import Subject


class Qf709:
    """A tensor is quantized twice, or indices and masks are quantized.

    Why: a QuantStub stands where floats enter. Behind another stub or a quantized operator it
    rounds a second time; on int and bool tensors it makes numbers of what are names.

    How to mend: one stub per float input, none for integer, bool or index tensors.

    Anti-pattern:

        y = self.quant_b(self.conv(self.quant_a(x)))

    Best practice:

        y = self.conv(self.quant_a(x))
    """

    said_by = ("QF120",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.inventory is None:
            return
        inside = {m.address for m in subject.region}
        for stub in (m for m in subject.inventory.modules if m.op == "quant"):
            for address in subject.inventory.sources[stub.address]:
                dtype = (subject.input_dtypes or {}).get(address, "float32")
                if address in inside:
                    text = f"`{stub.address}` quantizes `{address}`, which is quantized already"
                    yield warning("QF709", text, subject.at, "remove this QuantStub")
                elif not dtype.startswith(("float", "bfloat")):
                    text = f"`{stub.address}` quantizes the input `{address}`, which is {dtype}"
                    yield warning("QF709", text, subject.at, "remove this QuantStub")
