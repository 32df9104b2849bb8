"""key_groups: missing and unexpected keys, per module, each with its likely cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from qflow.plan import op_facts
from qflow.plan.inventory import Inventory
from qflow.quantization.facts import Facts
from qflow.quantization.key_names import PARTS, generated, is_quantizer, split

Shapes = Mapping[str, tuple[int, ...]]
_ALIKE = 0.6
_IDENTITY = "identity"
_BN = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class KeyGroup:
    """What does not fit at one module."""

    address: str
    missing: tuple[str, ...] = ()
    """Parts that the model has and the checkpoint has not: `weight`,
    `activation_post_process.scale`."""
    unexpected: tuple[str, ...] = ()
    """Parts that the checkpoint has and the model has not."""
    reshaped: tuple[str, ...] = ()
    """Parts that both have in other shapes."""
    cause: str = ""

    @property
    def text(self) -> str:
        """One line: what, and why."""
        kinds = (("missing", self.missing), ("unexpected", self.unexpected))
        parts = [f"{kind} {', '.join(_short(keys))}" for kind, keys in kinds if keys]
        parts += [f"another shape: {', '.join(self.reshaped)}"] if self.reshaped else []
        return f"`{self.address or 'the model itself'}`: {'; '.join(parts)}; {self.cause}"


def _short(parts: tuple[str, ...]) -> list[str]:
    """Several buffers of one fake-quantizer as `weight_fake_quant.*`."""
    owners = Counter(p.partition(".")[0] for p in parts)
    many = {o for o, n in owners.items() if o in PARTS and n > 1}
    heads = ((p.partition(".")[0], p) for p in parts)
    return list(dict.fromkeys(f"{o}.*" if o in many else p for o, p in heads))


@dataclass(frozen=True)
class _Case:
    """Everything a cause is found from."""

    group: KeyGroup
    groups: Mapping[str, KeyGroup]
    wanted: Shapes
    given: Shapes
    facts: Facts | None


def group_keys(wanted: Shapes, given: Shapes, facts: Facts | None) -> tuple[KeyGroup, ...]:
    """Per module what does not fit, in the order of the model, with the likely cause."""
    found: dict[str, dict[str, list[str]]] = {}
    for key in dict.fromkeys((*wanted, *given)):
        kind = _kind(key, wanted, given)
        if kind:
            address, part = split(key)
            found.setdefault(address, {}).setdefault(kind, []).append(part)
    plain = {
        a: KeyGroup(a, **{kind: tuple(parts) for kind, parts in kinds.items()})
        for a, kinds in found.items()
    }
    return tuple(
        KeyGroup(**{**vars(g), "cause": _cause(_Case(g, plain, wanted, given, facts))})
        for g in plain.values()
    )


def _kind(key: str, wanted: Shapes, given: Shapes) -> str:
    if key not in given:
        return "missing"
    if key not in wanted:
        return "unexpected"
    return "" if wanted[key] == given[key] else "reshaped"


def _cause(case: _Case) -> str:
    return next((text for cause in CAUSES if (text := cause(case))), "")


def _other_shape(case: _Case) -> str:
    if not case.group.reshaped:
        return ""
    key = f"{case.group.address}.{case.group.reshaped[0]}".lstrip(".")
    shapes = f"{list(case.given[key])} in the checkpoint, {list(case.wanted[key])} in the model"
    if is_quantizer(key):
        return f"one is per channel and the other per tensor ({shapes})"
    return f"the model was built with other sizes ({shapes})"


def _layout(case: _Case) -> str:
    """P1: a layout operator takes the accumulator from a gemm, so it gains a grid; or loses it."""
    act = f"{PARTS[0]}.scale"
    inventory = case.facts.inventory if case.facts else None
    if inventory is None:
        return ""
    way = _to_dequant(inventory, _last_member(case))
    if act in case.group.missing and way:
        return (
            f"{', '.join(f'`{a}`' for a in way)} stands between it and its dequantize, so it needs "
            "a scale; the checkpoint's model kept the accumulator (P1): move the layout operator "
            "behind the dequantize"
        )
    if act in case.group.unexpected and way == []:
        return (
            "here its dequantize follows at once and it keeps the accumulator; in the checkpoint's "
            "model a layout operator or another reader stood behind it (P1)"
        )
    return ""


def _last_member(case: _Case) -> str:
    fusions = case.facts.fusions if case.facts else ()
    members = {f.at: f.members[-1] for f in fusions}
    return members.get(case.group.address, case.group.address)


def _to_dequant(inventory: Inventory, address: str) -> list[str] | None:
    """Operators from an address to the dequantize, each read once; None: there is no such way."""
    way: list[str] = []
    while address in inventory.by_address:
        users = inventory.users[address]
        if len(users) != 1:
            return None
        user = inventory.by_address[users[0]]
        if user.op == "dequant":
            return way
        if not op_facts.moves_only(inventory, user.address):
            return None
        if user.op != _IDENTITY:
            way.append(user.address)
        address = user.address
    return None


def _shifted(case: _Case) -> str:
    """A generated name whose number moved."""
    mine = generated(case.group.address)
    if mine is None:
        return ""
    for address, other in case.groups.items():
        theirs = generated(address)
        if theirs is None or theirs[:2] != mine[:2] or theirs[2] == mine[2]:
            continue
        if set(case.group.missing) & set(other.unexpected):
            return f"the checkpoint has `{address}`: {_moved(mine)}"
        if set(case.group.unexpected) & set(other.missing):
            return f"the model has `{address}`: {_moved(mine)}"
    return ""


def _moved(mine: tuple[str, str, int]) -> str:
    where = f"in `{mine[0].rstrip('.')}`" if mine[0] else "in the model"
    return f"a `{mine[1]}` was added or removed before it {where}, and numbers count calls"


def _fusion(case: _Case) -> str:
    """Weights that live at the add in one form and at the convolution in the other."""
    if "weight" not in (*case.group.missing, *case.group.unexpected):
        return ""
    other = _same_weight(case)
    if other is None or not ({_is_add(case.group.address), _is_add(other)} == {True, False}):
        return ""
    add, gemm = (other, case.group.address) if _is_add(other) else (case.group.address, other)
    where = "checkpoint" if (add == other) == ("weight" in case.group.missing) else "model"
    return f"in the {where} `{gemm}` is fused with the add behind it and lives at `{add}`"


def _is_add(address: str) -> bool:
    found = generated(address)
    return "add" in (found[1] if found else address.rpartition(".")[2])


def _same_weight(case: _Case) -> str | None:
    """The only module on the other side with a weight of this shape, within the same owner."""
    lacks = "weight" in case.group.missing
    ours, theirs = (case.wanted, case.given) if lacks else (case.given, case.wanted)
    shape = ours[f"{case.group.address}.weight".lstrip(".")]
    found = [
        a
        for a, g in case.groups.items()
        if "weight" in (g.unexpected if lacks else g.missing)
        and theirs[f"{a}.weight".lstrip(".")] == shape
    ]
    near = [a for a in found if a.rpartition(".")[0] == case.group.address.rpartition(".")[0]]
    return next(iter(near if len(near) == 1 else found if len(found) == 1 else ()), None)


def _batch_norm(case: _Case) -> str:
    lacks = set(_BN) & set(case.group.missing)
    extra = set(_BN) & set(case.group.unexpected)
    if lacks:
        return (
            "a batch norm; the checkpoint is of a model that folded it, which cannot be undone: "
            "load it into a prepared model of the same fusions"
        )
    if extra:
        return (
            "a batch norm that this model has folded or does not have; load a float checkpoint "
            "before `prepare`, or with `load_checkpoint`, which folds it"
        )
    alone = "bias" in case.group.missing and "weight" not in case.group.missing
    if alone and any(set(_BN) & set(g.unexpected) for g in case.groups.values()):
        return "the bias comes from folding the batch norm behind it"
    return ""


def _renamed(case: _Case) -> str:
    """The likest address on the other side with the same parts in the same shapes."""
    lacks = bool(case.group.missing)
    parts = case.group.missing or case.group.unexpected
    ours, theirs = (case.wanted, case.given) if lacks else (case.given, case.wanted)
    best, score = "", _ALIKE
    for address, other in case.groups.items():
        if (other.unexpected if lacks else other.missing) != parts:
            continue
        same = all(ours[_key(case.group.address, p)] == theirs[_key(address, p)] for p in parts)
        likeness = SequenceMatcher(None, address, case.group.address).ratio()
        if same and likeness >= score:
            best, score = address, likeness
    where = "checkpoint" if lacks else "model"
    return f"the {where} has `{best}` with the same shapes: it was probably renamed" if best else ""


def _key(address: str, part: str) -> str:
    return f"{address}.{part}" if address else part


def _rest(case: _Case) -> str:
    quantizers = all(
        p.partition(".")[0] in PARTS for p in (*case.group.missing, *case.group.unexpected)
    )
    if case.group.missing:
        if quantizers:
            return (
                "the checkpoint's model did not quantize this: another qconfig, or another fusion"
            )
        return "the checkpoint's model had no such module"
    if quantizers:
        return "this model does not quantize it: another qconfig, or the accumulator is kept"
    return "this model has no such module"


CAUSES: tuple[Callable[[_Case], str], ...] = (
    _other_shape,
    _layout,
    _shifted,
    _fusion,
    _batch_norm,
    _renamed,
    _rest,
)
"""Asked in this order; the first that has an answer is the likely cause."""
