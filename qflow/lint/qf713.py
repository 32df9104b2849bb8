"""QF713 (P13): a batch norm that was not folded."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.plan.inventory import Module
from qflow.plan.subject import Subject


class Qf713:
    """Both the convolution and its batch norm are in the tables.

    Why: the pair was not fused: the convolution is called several times, the batch norm is a class
    of its own (FrozenBatchNorm), SyncBN was converted after prepare, something else reads the
    convolution, or an eager list of modules is wrong.

    How to mend: nn.BatchNorm2d, one call per convolution, convert SyncBN before prepare.

    Anti-pattern:

        y = self.bn(self.conv(x)); z = self.bn2(self.conv(x2))

    Best practice:

        y = self.bn(self.conv(x)); z = self.bn2(self.conv2(x2))
    """

    said_by = ("QF502",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        fused = {a for f in subject.fusions for a in f.members}
        left = [m.address for m in subject.region if _normalizes(m) and m.address not in fused]
        if left:
            why = {a: reason for group, reason in subject.unfused or () for a in group}
            yield warning(
                "QF713",
                f"{listed(left)} were not folded into the convolution or linear before them",
                subject.at,
                "give each its own convolution that nothing else reads",
                *(f"`{a}`: {why[a]}" for a in left if a in why),
            )


def _normalizes(module: Module) -> bool:
    return module.op == "batch_norm" or "BatchNorm" in module.type or "batch_norm" in module.type
