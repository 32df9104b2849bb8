"""fuse: which modules run as one, whether they agree, which patterns of the file never apply."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from qflow.compile import together
from qflow.compile.qfields import SCALES
from qflow.compile.region import listed
from qflow.compile.unit import Fields, Unit
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.plan import fusion, op_facts
from qflow.plan.address import matches
from qflow.plan.plan import Fusion


def modules(unit: Unit) -> Unit:
    """Sets `fusions` and `running`.

    What stays float is in no fusion. QF221 a pattern never applies, QF222 members disagree, QF223
    an add stays apart.
    """
    if unit.inventory is None or unit.march is None:
        return unit
    allowed = unit.march.fuse_add_dtypes
    if unit.floats:
        unit = together.with_their_gemm(unit, _find(replace(unit, floats={}), allowed))
    found = _find(unit, allowed)
    widest = _find(unit, tuple(DTYPES))
    # one that only floats keep apart applies as soon as they are not
    every = _find(replace(unit, floats={}), tuple(DTYPES)) if unit.floats else widest
    unit = replace(unit, fusions=found)
    problems = [
        *_unused(unit, found, every),
        *_apart(unit, found, widest),
        *_disagreeing(unit),
    ]
    return replace(unit, running=_running(unit)).having(problems)


def _find(unit: Unit, allowed: tuple[str, ...]) -> tuple[Fusion, ...]:
    assert unit.inventory is not None

    def act_dtype(address: str) -> str:
        # an add whose rules are wrong is reported once, and is no reason to split a fusion
        fields = unit.decisions.get(address)
        return str(fields["act.dtype"].value) if fields else next(iter(allowed), "")

    region = set(unit.region)
    every = fusion.find(
        unit.inventory,
        allowed,
        act_dtype,
        fusion.PATTERNS,
        word=op_facts.pattern_word,
        apart=unit.floats.keys(),
    )
    return tuple(f for f in every if region.issuperset(f.members))


def _unused(
    unit: Unit, found: tuple[Fusion, ...], widest: tuple[Fusion, ...]
) -> Iterator[Diagnostic]:
    counts = Counter(" + ".join(f.pattern) for f in found)
    for line in unit.fuses:
        # a pattern that only the dtype of an add keeps from applying is a QF223 already
        if any(_applies(line, f) for f in (*found, *widest)):
            continue
        made = ", ".join(f"{n} of `{pattern}`" for pattern, n in sorted(counts.items()))
        where = f" in `{line.within}`" if line.within else ""
        yield Diagnostic(
            "QF221",
            f"this fusion never applies{where}",
            at=line.span,
            notes=(f"the model has {made}",) if made else ("the model has nothing to fuse",),
            help="delete the line, or write the pattern the model has",
        )


def _applies(line: syntax.Fuse, found: Fusion) -> bool:
    return line.pattern == found.pattern and (line.within is None or matches(line.within, found.at))


def _apart(
    unit: Unit, found: tuple[Fusion, ...], widest: tuple[Fusion, ...]
) -> Iterator[Diagnostic]:
    assert unit.march is not None
    joined = {f.at for f in found}
    by_dtype: dict[str, list[tuple[Span | None, str]]] = {}
    for wide in widest:
        if wide.residual is None or wide.at in joined or wide.at not in unit.decisions:
            continue
        dtype = unit.decisions[wide.at]["act.dtype"]
        by_dtype.setdefault(str(dtype.value), []).append((dtype.by, wide.at))
    for dtype_name, places in by_dtype.items():
        fuses = " or ".join(unit.march.fuse_add_dtypes) or "nothing"
        yield Diagnostic(
            "QF223",
            f"{unit.march.name} fuses an add at {fuses} only: at {dtype_name} it stays on its own",
            at=min(span for span, _ in places if span is not None),
            notes=(f"this concerns {listed([at for _, at in places])}",),
            severity="note",
        )


def _disagreeing(unit: Unit) -> Iterator[Diagnostic]:
    """Members whose output fields differ; one finding per pair of rules."""
    pairs: dict[tuple[Span | None, Span | None, str], list[str]] = {}
    texts: dict[tuple[Span | None, Span | None, str], tuple[str, str]] = {}
    for f in unit.fusions:
        last = unit.decisions.get(f.members[-1])
        for member in f.members[:-1]:
            fields = unit.decisions.get(member)
            name = _differing(fields, last) if fields and last else None
            if not (fields and last and name):
                continue
            mine, theirs = fields.get(name), last.get(name)
            key = (_by(fields, name), _by(last, name), name)
            pairs.setdefault(key, []).append(f.at)
            texts[key] = (
                f"{member}: {mine.value if mine else 'unset'}",
                f"{f.members[-1]}: {theirs.value if theirs else 'unset'}",
            )
    for (first, second, name), places in pairs.items():
        mine_text, their_text = texts[first, second, name]
        later, earlier = (first, second), (mine_text, their_text)
        if first is not None and second is not None and first < second:
            later, earlier = (second, first), (their_text, mine_text)
        yield Diagnostic(
            "QF222",
            f"members of one fusion disagree on `{name}`",
            at=later[0],
            label=earlier[0],
            also=(Label(later[1], earlier[1]),) if later[1] else (),
            notes=(f"they run as one at {listed(list(dict.fromkeys(places)))}",),
            help="let the rule select every member of the fusion",
        )


def _differing(one: Fields, other: Fields) -> str | None:
    """The first output field on which two qconfigs differ."""
    names = sorted(n for n in {*one, *other} if n.startswith(("act.", "out.")) or n == SCALES)
    for name in names:
        a, b = one.get(name), other.get(name)
        if (a.value if a else None) != (b.value if b else None):
            return name
    return None


def _by(fields: Fields, name: str) -> Span | None:
    """The rule that set a field, or, for one that is not set, the rule that decided the rest."""
    return fields[name].by if name in fields else fields["act.dtype"].by


def _running(unit: Unit) -> dict[str, Fields]:
    lives = unit.lives_at
    running = {a: f for a, f in unit.decisions.items() if a not in lives}
    # thousands of fusions have a handful of qconfigs: equal ones are one object for later passes
    made: dict[tuple[int, int], Fields] = {}
    for f in unit.fusions:
        gemm, last = unit.decisions.get(f.members[0]), unit.decisions.get(f.members[-1])
        if gemm is None or last is None:
            continue
        key = (id(gemm), id(last))
        if key not in made:
            weight = {n: d for n, d in gemm.items() if n.startswith("weight.")}
            output = {n: d for n, d in last.items() if not n.startswith("weight.")}
            made[key] = {**weight, **output}
        running[f.at] = made[key]
    return {a: running[a] for a in unit.region if a in running}
