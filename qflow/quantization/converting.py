"""converting: `convert` and `convert_fx`: the integer model as a torch module.

What they return computes in integers and has no parameters. `qflow.export.export` gives the same
model with its ports, to be saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from importlib import import_module
from typing import Any

from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail


class ConvertedModel(nn.Module):
    """Called as the model was; returns what its dequantizes give, float32.

    An eager model is known as a graph only once it ran: without example inputs it is converted at
    the first call, by its arguments.
    """

    def __init__(self, model: nn.Module | None, integer: Any) -> None:
        super().__init__()
        # no child: what is converted has no parameters that training could move
        self._waiting = (model,)
        self._integer = integer
        self.eval()

    @property
    def integer(self) -> Any:
        """The `qflow.export.IntegerModel`; QF263 before the first call of an eager model."""
        if self._integer is None:
            raise fail(
                Diagnostic(
                    "QF263",
                    "an eager model is converted by the arguments it is called with",
                    help="pass `example_inputs=` to `convert`, or call the model once",
                )
            )
        return self._integer

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if self._integer is None:
            (model,) = self._waiting
            self._integer, self._waiting = _exported(model, args, kwargs), (None,)
        return self._integer(*args, **kwargs)

    def extra_repr(self) -> str:
        return "not called yet" if self._integer is None else repr(self._integer)


def convert(
    module: nn.Module,
    mapping: Mapping[Any, Any] | None = None,
    inplace: bool = False,
    remove_qconfig: bool = True,
    fast_mode: bool = False,
    *,
    example_inputs: Any = None,
    example_kw_inputs: Mapping[str, Any] | None = None,
) -> ConvertedModel:
    """The integer model of a prepared model; `module` is left alone, whatever `inplace` says.

    `remove_qconfig` and `fast_mode` change nothing: what is returned has no qconfig and is exact.
    Raises QflowError: QF268 for a `mapping`, QF260 without fake-quantizers, QF261 in a wrong mode
    or state, and, at once or at the first call, what `export` raises.
    """
    if mapping:
        text = "`mapping` has no meaning here"
        raise fail(Diagnostic("QF268", text, help="operators have their integer form in qflow"))
    legal = import_module("qflow.export._model.legal")
    legal.require_prepared(module)
    legal.require_validation(module)
    if isinstance(module, fx.GraphModule):
        make = import_module("qflow.export._model.make")
        return ConvertedModel(None, make.integer_model(module, make.march_of(module)))
    if example_inputs is None and not example_kw_inputs:
        return ConvertedModel(deepcopy(module), None)
    return ConvertedModel(None, _exported(module, example_inputs, example_kw_inputs))


def convert_fx(
    graph_module: fx.GraphModule,
    inplace: bool = False,
    convert_custom_config_dict: Mapping[str, Any] | None = None,
    _remove_qconfig: bool = True,
    fast_mode: bool = False,
) -> ConvertedModel:
    """`convert` for what `prepare_qat_fx` gave. QF268 for a `convert_custom_config_dict`."""
    if convert_custom_config_dict:
        text = "`convert_custom_config_dict` has no meaning here"
        raise fail(Diagnostic("QF268", text, help="leave it out"))
    return convert(graph_module, inplace=inplace, fast_mode=fast_mode)


def _exported(module: Any, inputs: Any, keywords: Mapping[str, Any] | None) -> Any:
    make = import_module("qflow.export._model.make")
    return make.export(module, inputs, example_kw_inputs=keywords)
