"""reconciling: the keys of another form of the same model: float, unfused, or wrapped in `module`.

A fused module lives at its gemm, or at its add; a batch norm is folded or a child `bn`. What one
form has under other names is renamed, and a batch norm that the model folded is folded here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn

from qflow.plan.inventory import Inventory
from qflow.plan.plan import Fusion
from qflow.quantization.facts import Facts, facts_of
from qflow.quantization.key_names import generated
from qflow.tracing.folding import fold

_WEIGHTS = ("weight", "bias", "weight_fake_quant.")
_BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_USUAL_EPS = 1e-5


@dataclass
class Reconciled:
    """The state under the model's names, and what was done to it."""

    state: dict[str, Tensor]
    renamed: list[tuple[str, str]] = field(default_factory=list)
    """Key of the checkpoint, key of the model."""
    folded: list[str] = field(default_factory=list)
    """Addresses of batch norms that were folded."""

    def rename(self, old: str, new: str) -> None:
        """Where the model already has its key from the checkpoint, both are left as they are."""
        if old in self.state and new not in self.state:
            self.state[new] = self.state.pop(old)
            self.renamed.append((old, new))


def reconcile(model: nn.Module, state: Mapping[str, Tensor]) -> Reconciled:
    """The state as far as it can be given the names of the model; the mapping itself stays."""
    wanted = set(model.state_dict())
    found = Reconciled(dict(state))
    _without_prefix(found, wanted)
    facts = facts_of(model)
    if facts is None:
        return found
    for fusion in facts.fusions:
        _fused(found, fusion, model.get_submodule(fusion.at), wanted)
    for add, gemm in _split(facts):
        for key in [k for k in found.state if k.startswith(f"{add}.")]:
            part = key.removeprefix(f"{add}.")
            if part.startswith(_WEIGHTS) and key not in wanted and f"{gemm}.{part}" in wanted:
                found.rename(key, f"{gemm}.{part}")
    return found


def _without_prefix(found: Reconciled, wanted: set[str]) -> None:
    """`module.` of a model wrapped for several devices, `state/` of a run folder."""
    for prefix in ("module.", "state/"):
        inside = [k for k in found.state if k.startswith(prefix)]
        if inside and not any(k.startswith(prefix) for k in wanted):
            for key in inside:
                found.rename(key, key.removeprefix(prefix))
    for key in [k for k in found.state if k.startswith("observers/")]:
        # what an observer has gathered, which a run goes on from; no part of a state dict
        del found.state[key]


def _fused(found: Reconciled, fusion: Fusion, module: Any, wanted: set[str]) -> None:
    """Give the fused module what the checkpoint has at its members."""
    roles = dict(zip(fusion.pattern, fusion.members, strict=True))
    gemm, bn = fusion.members[0], roles.get("bn")
    keeps = "bn" in module._modules
    if bn is not None and f"{bn}.running_var" in found.state:
        if keeps:
            for part in _BN:
                found.rename(f"{bn}.{part}", f"{fusion.at}.bn.{part}")
        elif f"{gemm}.weight" in found.state:
            _fold(found, gemm, bn, module)
    if gemm != fusion.at:
        for key in [k for k in found.state if k.startswith(f"{gemm}.")]:
            part = key.removeprefix(f"{gemm}.")
            if part.startswith(_WEIGHTS) and key not in wanted:
                found.rename(key, f"{fusion.at}.{part}")


def _fold(found: Reconciled, gemm: str, bn: str, module: Any) -> None:
    state = found.state
    convolution = SimpleNamespace(
        weight=state[f"{gemm}.weight"],
        bias=state.get(f"{gemm}.bias"),
        transposed=getattr(module, "transposed", False),
        groups=getattr(module, "groups", 1),
    )
    normalization = SimpleNamespace(
        weight=state.get(f"{bn}.weight"),
        bias=state.get(f"{bn}.bias"),
        eps=getattr(module, "folded_eps", _USUAL_EPS),
    )
    mean, var = state[f"{bn}.running_mean"], state[f"{bn}.running_var"]
    state[f"{gemm}.weight"], state[f"{gemm}.bias"] = fold(convolution, normalization, mean, var)
    for part in _BN:
        state.pop(f"{bn}.{part}", None)
    found.folded.append(bn)


def _split(facts: Facts) -> Iterator[tuple[str, str]]:
    """Adds that are alone in this model and the gemm that another fusion would put there."""
    inventory = facts.inventory
    fused = {m for f in facts.fusions for m in f.members}
    at = {f.members[0]: f.at for f in facts.fusions}
    for module in inventory.modules:
        if module.op == "add" and module.address not in fused and generated(module.address):
            for source in inventory.sources[module.address]:
                if gemm := _gemm(inventory, source):
                    yield module.address, at.get(gemm, gemm)
                    break


def _gemm(inventory: Inventory, address: str) -> str | None:
    module = inventory.by_address[address]
    if module.op == "batch_norm":
        module = inventory.by_address[inventory.sources[address][0]]
    return module.address if module.weights and module.op != "batch_norm" else None
