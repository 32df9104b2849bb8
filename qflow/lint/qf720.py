"""QF720 (P20): the integer colour operator in a model that trains, or with default arguments."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._script import Script, dotted, keyword
from qflow.lint.qf719 import BACK
from qflow.plan.subject import Subject

_ARGUMENTS = (("mean", 2), ("std", 3), ("q_scale", 4))


class Qf720:
    """A model trained on RGB is wrong when it is fed centred YUV.

    Why: `centered_yuv2rgb` belongs into the integer model, directly behind the QuantStub, never
    into training. Its `mean`, `std` and `q_scale` must be those of the trained model's input, and
    the stub before it must give whole steps (scale 1).

    How to mend: pass all three; `q_scale` is the trained QuantStub's scale, which then becomes 1.

    Anti-pattern:

        x = centered_yuv2rgb(self.quant(x), "full")

    Best practice:

        @wrap()
        def camera(self, x):
            return x if self.training else centered_yuv2rgb(x, "full", mean, std, q_scale)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        training = any(m.training for m in subject.modules or ())
        for module in subject.region:
            if module.op not in BACK and module.type not in BACK:
                continue
            if training:
                yield warning(
                    "QF720",
                    f"`{module.address}` ({module.op}) is in a model that trains",
                    subject.at,
                    "insert it when the model is trained, in eval mode",
                )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for call in script.calls(*BACK):
            lacking = [n for n, place in _ARGUMENTS if keyword(call, n, place) is None]
            if lacking:
                yield warning(
                    "QF720",
                    f"`{script.called(call)}` takes {', '.join(lacking)} from its defaults",
                    script.span(call),
                    "pass the trained input's mean, std and the trained QuantStub's scale",
                )
        for owner in script.classes:
            for method in owner.reached():
                kept = {id(n) for part in _eval_only(method) for n in ast.walk(part)}
                for call in script.calls(*BACK, inside=method):
                    if id(call) not in kept:
                        yield warning(
                            "QF720",
                            f"`{script.called(call)}` runs in training as well",
                            script.span(call),
                            "use it in the deployed model only",
                        )


def _eval_only(method: ast.FunctionDef) -> Iterator[ast.stmt]:
    """Statements that run only where `self.training` is false."""
    for node in (n for n in ast.walk(method) if isinstance(n, ast.If)):
        test = node.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            if dotted(test.operand) == "self.training":
                yield from node.body
        elif dotted(test) == "self.training":
            yield from node.orelse
