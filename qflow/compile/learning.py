"""learning: who moves a scale in training: the observer, the optimizer, or nobody."""

from collections.abc import Iterator, Mapping

from qflow import registry
from qflow.compile import facts
from qflow.compile.problem import Problem
from qflow.compile.unit import Fields
from qflow.plan.plan import Decided, Scalar

LEARNED = "quantization.learned"
PLAIN = "fake_quant"
"""The word for a scale that the observer moves."""


def problems(part: str, fields: Mapping[str, Scalar]) -> Iterator[Problem]:
    """What is wrong with `fake_quant` and `fix_scale` of a part."""
    kind, fix = f"{part}.fake_quant", f"{part}.fix_scale"
    known = (PLAIN, *facts.known(LEARNED))
    word = fields.get(kind, PLAIN)
    if word not in known:
        near = registry.nearest(str(word), known) or known
        notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
        yield Problem("QF110", kind, f"there is no fake-quantizer `{word}`", notes)
        return
    fixed = fields.get(fix, False)
    if not isinstance(fixed, bool):
        yield Problem("QF113", fix, f"`{fix}` is `true` or `false`, not `{fixed}`")
        return
    given = fields.get(f"{part}.observer") == "fixed"
    if word != PLAIN and (fixed or given):
        what = f"`{fix}`" if fixed else f"`{part}.observer = fixed`"
        yield Problem(
            "QF410",
            kind,
            f"`{kind} = {word}` learns the scale, but {what} says that it stays",
            help=f"leave one of the two out: `{kind} = {PLAIN}` does not learn",
        )


def learned(part: str, fields: Fields) -> Decided | None:
    """The kind of learning; None where the scale is not learned."""
    decided = fields.get(f"{part}.fake_quant")
    return None if decided is None or decided.value == PLAIN else decided


def fix_scale(part: str, fields: Fields) -> Decided | None:
    """That training keeps the scale; None where it need not."""
    decided = fields.get(f"{part}.fix_scale")
    return decided if decided is not None and decided.value else None
