"""fx_api: `fuse_fx` and `prepare_qat_fx`, the oldest graph API of the field."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.march.current import required
from qflow.plan import fusion, op_facts
from qflow.quantization.example_inputs import arguments
from qflow.quantization.fusing_modes import get_qat_mode
from qflow.quantization.region import between_stubs
from qflow.tracing import fuse
from qflow.tracing.traced import trace_call


def fuse_fx(
    model: nn.Module,
    fuse_custom_config_dict: Mapping[str, Any] | None = None,
    *,
    example_inputs: Any = None,
    example_kw_inputs: Mapping[str, Any] | None = None,
) -> fx.GraphModule:
    """The model as a graph in which every pattern is one module; `model` is left alone.

    For a look at it: `prepare` fuses by itself. An add joins as if it were at the dtype at which
    the march fuses adds. In evaluation it computes what the model did, up to float32 rounding.
    Raises QflowError: QF252 without example inputs, which the shapes are taken from, QF251 without
    a march, QF268 for `fuse_custom_config_dict`, QF312 to QF314 from the trace.
    """
    _refuse(fuse_custom_config_dict=fuse_custom_config_dict)
    target = required()
    args, kwargs = arguments(example_inputs, example_kw_inputs)
    if not args and not kwargs:
        raise fail(
            Diagnostic(
                "QF252",
                "`fuse_fx` needs example inputs",
                notes=("what a batch norm normalizes is seen by shapes",),
                help="pass `example_inputs=(x,)`",
            )
        )
    traced = trace_call(model, args, kwargs, method="symbolic")
    dtype = next(iter(target.fuse_add_dtypes), "")
    found = fusion.find(
        traced.inventory, target.fuse_add_dtypes, lambda _: dtype, word=op_facts.pattern_word
    )
    inside = between_stubs(traced.inventory)
    kept = [f for f in found if inside.issuperset(f.members)]
    return fuse(traced, kept, get_qat_mode().value)


def prepare_qat_fx(
    model: nn.Module,
    qconfig_dict: Mapping[str, Any] | None = None,
    prepare_custom_config_dict: Mapping[str, Any] | None = None,
    optimize_graph: bool = False,
    hybrid: bool = False,
    hybrid_dict: Mapping[str, Any] | None = None,
    opset_version: str = "hbdk3",
    example_inputs: Any = None,
    qconfig_setter: Any = None,
    verbose: int = 0,
    *,
    example_kw_inputs: Mapping[str, Any] | None = None,
) -> nn.Module:
    """`prepare` with the method SYMBOLIC; the arguments are the field's.

    `qconfig_dict` decides where no `qconfig` attribute does; give it or `qconfig_setter`, not both.
    `opset_version` and `verbose` change nothing. Raises QflowError: QF268 for the options of other
    backends, QF252 without example inputs, and what `prepare` raises.
    """
    _refuse(
        prepare_custom_config_dict=prepare_custom_config_dict,
        optimize_graph=optimize_graph,
        hybrid=hybrid,
        hybrid_dict=hybrid_dict,
    )
    if qconfig_dict and qconfig_setter is not None:
        raise fail(
            Diagnostic(
                "QF268",
                "`qconfig_dict` next to `qconfig_setter` has no meaning",
                help="give one of them; setters take names as well",
            )
        )
    setter = qconfig_setter
    if qconfig_dict:
        setter = import_module("qflow.quantization.setters.qconfig_dict").QconfigDictSetter(
            qconfig_dict
        )
    prepare = import_module("qflow.quantization.preparing").prepare
    result: nn.Module = prepare(
        model, example_inputs, setter, "symbolic", example_kw_inputs=example_kw_inputs
    )
    return result


def _refuse(**options: Any) -> None:
    for name, value in options.items():
        if value:
            raise fail(Diagnostic("QF268", f"`{name}` has no meaning here", help="leave it out"))
