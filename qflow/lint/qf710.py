"""QF710 (P10): post-processing between the stubs, or a dequantize that depends on the mode."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._graph import named
from qflow.lint._script import ClassFact, Script, dotted
from qflow.plan.subject import Subject

BEHIND = (
    *("topk", "argmax", "argmin", "sort", "argsort", "nonzero", "unique", "multinomial"),
    *("nms", "batched_nms", "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss"),
    *("binary_cross_entropy", "binary_cross_entropy_with_logits", "crossentropyloss", "mseloss"),
)
"""Operators that belong behind the dequantize."""


class Qf710:
    """The last operators are the most sensitive ones, are not supported, or run on the CPU.

    Why: nms, topk, argmax, decoding and losses are no part of what the accelerator computes. A
    dequantize under `if self.training` moves the boundary between training and deployment.

    How to mend: put the DeQuantStub before them, in both modes.

    Anti-pattern:

        scores, index = torch.topk(self.head(x), 10)
        return self.dequant(scores), index

    Best practice:

        return torch.topk(self.dequant(self.head(x)), 10)
    """

    said_by = ("QF502",)

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        found = [m.address for m in subject.region if named(m, *BEHIND)]
        if found:
            yield warning(
                "QF710",
                f"{listed(found)} stand between the quant and dequant stubs",
                subject.at,
                "put the DeQuantStub before them",
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for owner in script.classes:
            for method in owner.reached():
                for test in (n for n in ast.walk(method) if isinstance(n, ast.If)):
                    if _asks_mode(test.test) and _dequantizes(owner, test):
                        yield warning(
                            "QF710",
                            "the dequantize depends on `self.training`",
                            script.span(test.test),
                            "dequantize in both modes, and branch behind it",
                        )


def _asks_mode(test: ast.expr) -> bool:
    return any(dotted(n) == "self.training" for n in ast.walk(test))


def _dequantizes(owner: ClassFact, test: ast.If) -> bool:
    names = (owner.attribute_called(n) for n in ast.walk(test) if isinstance(n, ast.Call))
    return any(n and owner.attributes.get(n) == "DeQuantStub" for n in names)
