"""QF729 (P29): a pooling that reads the float input, before anything is quantized."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._graph import POOLS
from qflow.plan.inventory import Inventory, Module
from qflow.plan.subject import Subject


class Qf729:
    """`max_pool's fin is f32, which should be si8 or si16`: the pooling runs on the CPU.

    Why: the accelerator pools integers. A pooling in front of the QuantStub is outside.

    How to mend: put the QuantStub in front of the pooling.

    Anti-pattern:

        x = self.quant(self.pool(image))

    Best practice:

        x = self.pool(self.quant(image))
    """

    said_by = ("QF120", "QF278")

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.inventory is None:
            return
        inside = {m.address for m in subject.region}
        for module in subject.inventory.modules:
            if module.op not in POOLS or module.address in inside:
                continue
            if _leads_to_stub(subject.inventory, module):
                yield warning(
                    "QF729",
                    f"`{module.address}` ({module.type}) pools a float tensor",
                    subject.at,
                    "put the QuantStub before it",
                )


def _leads_to_stub(inventory: Inventory, module: Module) -> bool:
    """Whether what it pools is quantized later on; behind the dequantize floats are meant."""
    waiting, seen = [module.address], {module.address}
    while waiting:
        for user in inventory.users[waiting.pop()]:
            if inventory.by_address[user].op == "quant":
                return True
            if user not in seen:
                seen.add(user)
                waiting.append(user)
    return False
