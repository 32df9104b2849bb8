"""legal: what an `export onnx` block asks that the format, or the plan, cannot give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from qflow import registry
from qflow.diagnostics import Diagnostic
from qflow.export._onnx import settings as reader
from qflow.export._onnx.settings import (
    FIRST_OPSET,
    FLOAT32,
    LAST_OPSET,
    NCHW,
    NHWC,
    OPSET,
    Settings,
)

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan, ModulePlan, Plan, PortPlan

SUFFIX = ".onnx"
INT32 = "int32"
INT16 = "int16"
_IMAGE_RANK = 4
_BOUNDARIES = ("input", "output", "quant", "dequant")


def check(export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """Every finding, in the order: path, opset, names, layouts, dtypes."""
    asked = reader.read(export)
    return (
        *path_of(export),
        *_opset(asked, export, plan),
        *ports(asked, export, plan),
        *_tail(asked, export, plan),
        *_floats(export, plan),
    )


def _floats(export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    """A QDQ graph of this writer has quantized operators only."""
    left = [m for m in plan.modules if m.out is not None and m.out.value == FLOAT32]
    left = [m for m in left if m.op not in _BOUNDARIES]
    if left:
        named = ", ".join(f"`{m.address}`" for m in left[:6])
        more = f" and {len(left) - 6} more" if len(left) > 6 else ""
        yield Diagnostic(
            "QF502",
            "the ONNX export has no operators that stay float",
            at=export.at,
            notes=(f"float are {named}{more}",),
            help="quantize them, or leave this export out",
        )


def ports(asked: Settings, export: ExportPlan, plan: Plan) -> tuple[Diagnostic, ...]:
    """What is asked of inputs and outputs: names, layouts, dtypes."""
    return (
        *_names(asked, export, plan),
        *_layouts(asked, export, plan),
        *_dtypes(asked, export, plan),
    )


def path_of(export: ExportPlan, suffix: str = SUFFIX) -> Iterator[Diagnostic]:
    path = PurePosixPath(export.path.replace("\\", "/"))
    drive = PureWindowsPath(export.path).drive
    if path.is_absolute() or drive or ".." in path.parts:
        yield Diagnostic(
            "QF317",
            f"the export path `{export.path}` leaves the run's `export` folder",
            at=export.at,
            help="write a relative path without `..`",
        )
    if path.suffix != suffix:
        yield Diagnostic(
            "QF317",
            f"the export path `{export.path}` does not end in `{suffix}`",
            at=export.at,
            help=f'write "{path.stem or "model"}{suffix}"',
        )


def _opset(asked: Settings, export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    if not FIRST_OPSET <= asked.opset <= LAST_OPSET:
        yield Diagnostic(
            "QF111",
            f"opset {asked.opset} is none of {FIRST_OPSET} to {LAST_OPSET}",
            at=export.at,
            help=f"write `opset = {OPSET}`",
        )
        return
    wide = next((m for m in plan.modules if INT16 in _integers(m)), None)
    if asked.opset < OPSET and wide is not None:
        yield Diagnostic(
            "QF501",
            f"opset {asked.opset} has no int16, which `{wide.address}` uses",
            at=export.at,
            help=f"write `opset = {OPSET}`",
        )


def _names(asked: Settings, export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    known = tuple(_ports(plan))
    for field, given in (("layout", asked.layout), ("dtype", asked.dtype)):
        for name in sorted(set(given) - set(known)):
            close = registry.nearest(name, known) or known
            yield Diagnostic(
                "QF110",
                f"`{field}` names `{name}`, which is no input or output of the model",
                at=export.at,
                notes=(f"the nearest: {', '.join(f'`{c}`' for c in close)}",),
                help=f"write `{close[0]}`" if len(close) == 1 else "",
            )


def _layouts(asked: Settings, export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    for name, port in _ports(plan).items():
        layout = asked.layout_of(name)
        if layout not in (NCHW, NHWC):
            yield Diagnostic(
                "QF503",
                f"`{name}` cannot be exported as `{layout}`",
                at=export.at,
                help=f"write `{NCHW}` or `{NHWC}`",
            )
        elif name in asked.layout and len(port.dims) != _IMAGE_RANK:
            yield Diagnostic(
                "QF503",
                f"`{name}` has {len(port.dims)} dimensions and so no `{layout}` layout",
                at=export.at,
                help=f"leave `{name}` out of `layout`",
            )


def _dtypes(asked: Settings, export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    offers = {
        **dict.fromkeys((p.name for p in plan.model.inputs), _of_inputs(plan)),
        **dict.fromkeys((p.name for p in plan.model.outputs), _of_outputs(plan)),
    }
    for name, dtype in asked.dtype.items():
        offered = offers.get(name)
        if offered is None or dtype in offered:
            continue
        words = " or ".join(f"`{word}`" for word in offered)
        yield Diagnostic(
            "QF501",
            f"`{name}` cannot be exported as {dtype}: the plan makes it {words}",
            at=export.at,
            help=f"write `{name}: {offered[-1]}`",
        )


def _tail(asked: Settings, export: ExportPlan, plan: Plan) -> Iterator[Diagnostic]:
    """ONNX has integer convolution for int8 alone; an int16 matrix product runs in int32.

    A plan does not say which tensor an operator reads: where dtypes are mixed the writer finds out.
    """
    outputs = [p.name for p in plan.model.outputs if asked.dtype_of(p.name) == INT32]
    kept = [m for m in _computing(plan) if _out(m) == INT32 and m.weight is not None]
    acts = {str(m.act.dtype.value) for m in plan.modules if m.act is not None}
    weights = {str(m.weight.dtype.value) for m in kept if m.weight is not None}
    wide = acts == {INT16} or weights == {INT16}
    if outputs and wide and {m.op for m in kept} == {"conv2d"}:
        yield Diagnostic(
            "QF501",
            f"`{outputs[0]}` cannot be exported as int32: ONNX has no int16 convolution "
            f"that keeps the accumulator of `{kept[0].address}`",
            at=export.at,
            help=f"write `{outputs[0]}: {FLOAT32}`: the same accumulator times its scale",
        )


def _ports(plan: Plan) -> Mapping[str, PortPlan]:
    return {p.name: p for p in (*plan.model.inputs, *plan.model.outputs)}


def _of_inputs(plan: Plan) -> tuple[str, ...]:
    """float32, and the grids that quantize stubs put on inputs."""
    stubs = {d for m in plan.modules if m.op == "quant" for d in _integers(m)}
    return (FLOAT32, *sorted(stubs))


def _of_outputs(plan: Plan) -> tuple[str, ...]:
    """float32, and what stands before the dequantize; the writer knows which output has which."""
    made = [d for m in _computing(plan) if (d := _out(m)) and d != FLOAT32]
    one = len(plan.model.outputs) == 1
    return (FLOAT32, *(made[-1:] if one else sorted(set(made))))


def _computing(plan: Plan) -> Iterator[ModulePlan]:
    for module in plan.modules:
        if module.op not in _BOUNDARIES and module.absorbed_by is None:
            yield module


def _out(module: ModulePlan) -> str | None:
    if module.out is not None:
        return str(module.out.value)
    return str(module.act.dtype.value) if module.act else None


def _integers(module: ModulePlan) -> set[str]:
    """Dtypes of the module's grids."""
    return {str(t.dtype.value) for t in (module.act, module.weight) if t is not None}
