"""parametric: a function on parameters of the model, such as `linear(x, self.weight)`, as a module.

The module holds the very parameters, so that tied ones stay tied and every state-dict name of the
model stays. A projection of a packed weight holds its part of it as a view.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from qflow.tracing.values import first_shape

_CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups")
_BATCH_NORM = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum")
_VIEWS = ("chunk", "split", "narrow", "select", "detach", "t", "unbind")


@dataclass(frozen=True)
class Parametric:
    """A function call as a module."""

    module: nn.Module
    args: tuple[fx.Node]
    address: str | None
    """Where a module of that class holds these parameters already; None: nowhere."""


def parametric(
    graph: fx.GraphModule, node: fx.Node, values: Mapping[fx.Node, Any]
) -> Parametric | None:
    """The module that a call stands for; None when it is no function on parameters."""
    found = _FUNCTIONS.get(node.target) if node.op == "call_function" else None
    if found is None or len(node.args) > len(found.names):
        return None
    given = {**dict(zip(found.names, node.args, strict=False)), **node.kwargs}
    source = given.pop("input")
    tensors: dict[str, Tensor] = {}
    settings: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, fx.Node) and first_shape(values[value]):
            if (tensor := _parameter(graph, value)) is None:
                return None
            tensors[name] = tensor
        elif value is not None:
            settings[name] = fx.node.map_arg(value, values.__getitem__)
    shape = first_shape(values[source])
    if not tensors or "weight" not in tensors or shape is None:
        return None
    made = found.make(tensors, settings, shape.dims)
    if made is None:
        return None
    for name, tensor in tensors.items():
        setattr(made, name, _held(tensor, name in made._parameters))
    return Parametric(made.eval(), (source,), _home(graph, given, tensors, type(made)))


def _held(tensor: Tensor, as_parameter: bool) -> Tensor:
    """A tensor as a module registers it: a buffer in the place of a weight is frozen."""
    if isinstance(tensor, nn.Parameter) or not as_parameter:
        return tensor
    return nn.Parameter(tensor, requires_grad=False)


def _parameter(graph: fx.GraphModule, node: fx.Node) -> Tensor | None:
    """The parameter or buffer that a node is, or a view of one; None for what is computed."""
    if node.op == "get_attr":
        found = _attribute(graph, node)
        return found if isinstance(found, Tensor) else None
    base = node
    while base.op != "get_attr":
        if base.op == "placeholder" or not base.args or not isinstance(base.args[0], fx.Node):
            return None
        base = base.args[0]
    view = _view(graph, node)
    if not isinstance(view, Tensor) or not view.is_floating_point():
        return None
    return nn.Parameter(view, requires_grad=bool(_attribute(graph, base).requires_grad))


def _attribute(graph: fx.GraphModule, node: fx.Node) -> Any:
    module, _, name = str(node.target).rpartition(".")
    return getattr(graph.get_submodule(module), name)


def _view(graph: fx.GraphModule, node: fx.Node) -> Any:
    """A part of a parameter, by functions that copy nothing; None when it is something else."""
    if node.op == "get_attr":
        return _attribute(graph, node).detach()
    name = getattr(node.target, "__name__", node.target)
    rest = node.args[1:]
    fixed = not any(isinstance(a, fx.Node) for a in (*rest, *node.kwargs.values()))
    if not fixed or (name not in _VIEWS and node.target is not operator.getitem):
        return None
    assert isinstance(node.args[0], fx.Node)
    if (source := _view(graph, node.args[0])) is None:
        return None
    if node.op == "call_method":
        return getattr(source, str(node.target))(*rest, **node.kwargs)
    assert callable(node.target)
    picked = node.target(source, *rest, **node.kwargs)
    shares = not isinstance(picked, Tensor) or _storage(picked) in map(_storage, _all(source))
    return picked if shares else None


def _storage(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _all(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def _home(
    graph: fx.GraphModule, given: Mapping[str, Any], tensors: Mapping[str, Tensor], cls: type
) -> str | None:
    """The module that owns all the parameters, under their usual names, and has no others."""
    homes = set()
    for name in tensors:
        path, _, last = str(given[name].target).rpartition(".")
        if given[name].op != "get_attr" or last != name or not path:
            return None
        homes.add(path)
    if len(homes) != 1:
        return None
    (home,) = homes
    classes = graph.meta.get(CLASSES, {})
    own = set(classes[home][1]) if home in classes else set()
    fits = home in classes and issubclass(classes[home][0], cls) and own == set(tensors)
    return home if fits else None


CLASSES = "qflow.classes"
"""Key in the `meta` of a graph module: address to class and tensor names of the model's modules."""


def classes_of(model: nn.Module) -> dict[str, tuple[type, tuple[str, ...]]]:
    """What `Parametric.address` is found by."""
    return {path: (type(m), _names(m)) for path, m in model.named_modules() if path}


def _names(module: nn.Module) -> tuple[str, ...]:
    own = {**module._parameters, **module._buffers}
    return tuple(k for k, v in own.items() if v is not None and k != "num_batches_tracked")


@dataclass(frozen=True)
class _Function:
    names: tuple[str, ...]
    make: Callable[[Mapping[str, Tensor], Mapping[str, Any], tuple[int, ...]], nn.Module | None]


def _linear(tensors: Mapping[str, Tensor], _: Any, shape: tuple[int, ...]) -> nn.Module:
    outer, inner = tensors["weight"].shape
    return nn.Linear(inner, outer, "bias" in tensors, device="meta")


def _convolution(cls: Any) -> Any:
    def make(tensors: Mapping[str, Tensor], settings: Any, shape: tuple[int, ...]) -> nn.Module:
        weight, groups = tensors["weight"], settings.get("groups", 1)
        outer, inner = weight.shape[0], weight.shape[1] * groups
        if issubclass(cls, nn.modules.conv._ConvTransposeNd):
            outer, inner = weight.shape[1] * groups, weight.shape[0]
        size = tuple(weight.shape[2:])
        bias = "bias" in tensors
        return cls(inner, outer, size, bias=bias, device="meta", **settings)  # type: ignore[no-any-return]

    return make


def _batch_norm(
    tensors: Mapping[str, Tensor], settings: Mapping[str, Any], shape: tuple[int, ...]
) -> nn.Module | None:
    classes = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    rest = {k: v for k, v in settings.items() if k in ("eps", "momentum")}
    if settings.get("training") or set(tensors) != {
        "weight",
        "bias",
        "running_mean",
        "running_var",
    }:
        return None
    made: nn.Module = classes[len(shape)](shape[1], device="meta", **rest)
    made.num_batches_tracked = torch.tensor(0)
    return made


def _layer_norm(tensors: Mapping[str, Tensor], settings: Any, _: tuple[int, ...]) -> nn.Module:
    return nn.LayerNorm(bias="bias" in tensors, device="meta", **settings)


def _group_norm(
    tensors: Mapping[str, Tensor], settings: Any, shape: tuple[int, ...]
) -> nn.Module | None:
    if "bias" not in tensors:
        return None
    return nn.GroupNorm(num_channels=shape[1], device="meta", **settings)


def _embedding(
    tensors: Mapping[str, Tensor], settings: Mapping[str, Any], _: tuple[int, ...]
) -> nn.Module | None:
    usual = {"norm_type": 2.0, "scale_grad_by_freq": False, "sparse": False}
    if any(v != usual.get(k) for k, v in settings.items() if k != "padding_idx"):
        return None
    rows, width = tensors["weight"].shape
    padding = settings.get("padding_idx")
    # the function takes -1 for none
    return nn.Embedding(rows, width, None if padding == -1 else padding, device="meta")


def _prelu(tensors: Mapping[str, Tensor], _: Any, shape: tuple[int, ...]) -> nn.Module:
    return nn.PReLU(tensors["weight"].numel(), device="meta")


_FUNCTIONS: Mapping[Any, _Function] = {
    functional.linear: _Function(("input", "weight", "bias"), _linear),
    functional.conv1d: _Function(_CONV, _convolution(nn.Conv1d)),
    functional.conv2d: _Function(_CONV, _convolution(nn.Conv2d)),
    functional.conv3d: _Function(_CONV, _convolution(nn.Conv3d)),
    functional.conv_transpose1d: _Function(
        (*_TRANSPOSED, "dilation"), _convolution(nn.ConvTranspose1d)
    ),
    functional.conv_transpose2d: _Function(
        (*_TRANSPOSED, "dilation"), _convolution(nn.ConvTranspose2d)
    ),
    functional.conv_transpose3d: _Function(
        (*_TRANSPOSED, "dilation"), _convolution(nn.ConvTranspose3d)
    ),
    functional.batch_norm: _Function((*_BATCH_NORM, "eps"), _batch_norm),
    functional.layer_norm: _Function(
        ("input", "normalized_shape", "weight", "bias", "eps"), _layer_norm
    ),
    functional.group_norm: _Function(("input", "num_groups", "weight", "bias", "eps"), _group_norm),
    functional.embedding: _Function(
        ("input", "weight", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"),
        _embedding,
    ),
    functional.prelu: _Function(("input", "weight"), _prelu),
}
