"""freezing: mode, states and freezes of one epoch; put on anew after anything changed them."""

from collections.abc import Iterator

from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from qflow.plan.plan import StagePlan
from qflow.quantization import FakeQuantize, set_states


def begin(module: fx.GraphModule, stage: StagePlan, epoch: int) -> None:
    """Training mode, states and freezes of an epoch.

    `train()` and `set_states` undo what a freeze did, so this is the one place that calls them.
    """
    module.train()
    set_states(module, stage.states_at(epoch))
    for quantizer in _quantizers(module):
        for scale in quantizer.parameters():
            scale.requires_grad_(True)
    hold(module, stage, epoch)


def hold(module: fx.GraphModule, stage: StagePlan, epoch: int) -> None:
    """The freezes of an epoch, whatever the mode: weights, statistics and scales stay."""
    for parameter in still(module, stage, epoch):
        parameter.requires_grad_(False)
        # what an optimizer finds here it applies, decay and momentum included
        parameter.grad = None
    for address in stage.frozen_at("weight", epoch):
        _evaluate(module.get_submodule(address), _DropoutNd)
    for address in stage.frozen_at("bn", epoch):
        _evaluate(module.get_submodule(address), _BatchNorm)
    for address in stage.frozen_at("scale", epoch):
        for quantizer in _quantizers(module.get_submodule(address)):
            quantizer.freeze()


def still(module: fx.GraphModule, stage: StagePlan, epoch: int) -> list[nn.Parameter]:
    """Every parameter that may not move in an epoch.

    Frozen weights, and learned scales that are frozen or whose address is not in the state `qat`:
    in any other, nothing moves a scale by training.
    """
    found = [p for a in stage.frozen_at("weight", epoch) for p in _weights(module, a)]
    held = {*stage.frozen_at("scale", epoch)}
    held |= {a for a, state in stage.states_at(epoch).items() if state != "qat"}
    for address in sorted(held):
        for quantizer in _quantizers(module.get_submodule(address)):
            found += quantizer.parameters()
    return found


def turns(stage: StagePlan) -> tuple[int, ...]:
    """Epochs at whose beginning a state or a freeze changes; 0 is one."""
    return tuple(sorted({0, *(s.epoch for s in stage.later), *(f.epoch for f in stage.freezes)}))


def judged(module: nn.Module, stage: StagePlan, epoch: int) -> None:
    """Evaluation mode: what rounds in this epoch rounds, nothing observes."""
    module.eval()
    rounding = ("qat", "validation")
    set_states(
        module,
        {a: "validation" if s in rounding else "float" for a, s in stage.states_at(epoch).items()},
    )


def _evaluate(module: nn.Module, kind: type) -> None:
    for child in module.modules():
        if isinstance(child, kind):
            child.eval()


def _weights(module: fx.GraphModule, address: str) -> Iterator[nn.Parameter]:
    """Parameters of an address, and those that its calls are given; learned scales are none."""
    own = module.get_submodule(address)
    scales = {id(p) for q in _quantizers(own) for p in q.parameters()}
    yield from (p for p in own.parameters() if id(p) not in scales)
    parameters = dict(module.named_parameters(remove_duplicate=False))
    for node in module.graph.nodes:
        if node.op == "call_module" and node.target == address:
            given = (n.target for n in node.all_input_nodes if n.op == "get_attr")
            yield from (parameters[name] for name in given if name in parameters)


def _quantizers(module: nn.Module) -> list[FakeQuantize]:
    return [m for m in module.modules() if isinstance(m, FakeQuantize)]
