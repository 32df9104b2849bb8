"""QF702 (P2): a checkpoint lacks scales of the model, and nobody looked."""

from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import listed, warning
from qflow.lint._script import Script, keyword
from qflow.plan.subject import Subject


class Qf702:
    """The trained model is accurate, the deployed one is not, and some of its scales are 1.

    Why: the model changed between training and deployment (a layout operator moved, a branch for
    deployment renumbered generated names, another fusion), so keys of the checkpoint have no place
    and others are missing; `strict=False` hides it.

    How to mend: one graph for both, `strict=True`, layout changes behind the dequantize.

    Anti-pattern:

        model.load_state_dict(torch.load("qat.pt"), strict=False)

    Best practice:

        report = qflow.quantization.load_checkpoint(model, "qat.pt")
    """

    def check_model(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.checkpoint is None:
            return
        lost = [
            k.removesuffix(".scale") for k in subject.checkpoint.missing if k.endswith(".scale")
        ]
        if not lost:
            return
        owners = list(dict.fromkeys(k.rpartition(".")[0] for k in lost))
        yield warning(
            "QF702",
            f"the checkpoint has no scale for {len(lost)} fake-quantizers, at {listed(owners)}",
            subject.at,
            "build the model as it was when the checkpoint was written, and load it strictly",
            *(f"{a}: {why}" for a, why in subject.checkpoint.causes),
        )

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for call in script.calls("load_state_dict", "load_checkpoint", "LoadCheckpoint"):
            strict = keyword(call, "strict", 1)
            loose = [keyword(call, n) for n in ("allow_miss", "ignore_extra")]
            if _is(strict, False) or any(_is(x, True) for x in loose):
                yield warning(
                    "QF702",
                    "keys that are missing or left over are ignored here",
                    script.span(call),
                    "load strictly; a fake-quantizer whose key is missing keeps the scale 1",
                )


def _is(node: object, value: bool) -> bool:
    return getattr(node, "value", None) is value
