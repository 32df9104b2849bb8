"""QF706 (P6): one module, called several times, has one scale for all its calls."""

from collections import Counter
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._script import ClassFact, Script
from qflow.plan import op_facts
from qflow.plan.subject import Subject

_ONE_EACH = ("FloatFunctional", "QuantStub")


class Qf706:
    """Accuracy drops at an operator that runs more than once.

    Why: a module has one fake-quantizer. Called several times with different ranges, all its calls
    share the widest one, and small ranges lose their steps. It is not fused either.

    How to mend: one instance per call. This holds for FloatFunctional, activations, convolutions
    and QuantStub.

    Anti-pattern:

        x = self.add.add(x, y)
        x = self.add.add(x, z)

    Best practice:

        x = self.first.add(x, y)
        x = self.second.add(x, z)
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        shared = [
            m
            for m in subject.region
            if m.calls > 1 and not op_facts.shares_scale(m.op) and op_facts.role(m.op) != "shape"
        ]
        if shared:
            yield warning(
                "QF706",
                f"{listed([m.address for m in shared])} run more than once with one scale",
                subject.at,
                "give every call a module of its own",
                *(f"`{m.address}` ({m.type}) runs {m.calls} times" for m in shared),
            )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for owner in script.classes:
            for name, kind in owner.attributes.items():
                if kind in _ONE_EACH and _uses(owner, name) > 1:
                    yield warning(
                        "QF706",
                        f"`self.{name}` ({kind}) is used {_uses(owner, name)} times in one forward",
                        script.span(owner.methods["forward"]),
                        f"make one {kind} per use; one instance has one scale",
                    )


def _uses(owner: ClassFact, name: str) -> int:
    """Calls of `self.name(...)` and `self.name.method(...)` in `forward` and what it calls."""
    return Counter(n for m in owner.reached() for n in owner.called_in(m))[name]
