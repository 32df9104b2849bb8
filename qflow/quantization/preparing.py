"""preparing: `prepare`: from a float model to one with fake-quantizers, in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from qflow.atomic import write
from qflow.diagnostics import Diagnostic, fail
from qflow.lint import repeats
from qflow.march import March
from qflow.march.current import required
from qflow.plan.plan import GraphSpec
from qflow.quantization import changelog, qconfig_template
from qflow.quantization.attach import attach
from qflow.quantization.attributes import attributes_of
from qflow.quantization.choosing import choose
from qflow.quantization.converting import ConvertedModel
from qflow.quantization.example_inputs import arguments
from qflow.quantization.facts import Facts, set_facts
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.fusing_modes import get_qat_mode
from qflow.quantization.prepare_method import PrepareMethod
from qflow.quantization.saying import require_module, say
from qflow.quantization.setters.one_qconfig import setters_of
from qflow.quantization.settling import settle
from qflow.quantization.whole_numbers import whole_numbers
from qflow.registry import nearest
from qflow.tracing import dump, fuse, trace_call

GRAPH_FILE = "fx_graph.txt"


def prepare(
    model: nn.Module,
    example_inputs: Any = None,
    qconfig_setter: Any = None,
    method: PrepareMethod | str = PrepareMethod.JIT_STRIP,
    example_kw_inputs: Mapping[str, Any] | None = None,
    *,
    march: str | March | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    graph: GraphSpec | None = None,
    out_dir: str | Path | None = ".",
) -> nn.Module:
    """Trace, decide, fuse and fake-quantize what lies between the stubs; `model` is left alone.

    `example_inputs` is a tensor, a tuple of arguments, or a mapping of arguments by name, batch
    first; every method but EAGER needs them. `qconfig_setter` is a setter, a tuple of them (the
    first wins), or one QConfig for all; `qconfig` attributes of modules beat it. Where there is
    neither, `default_calibration_qconfig_setter` decides. Without `march` the one of `set_march`
    counts. The result is in evaluation mode, its fake-quantizers are off, and it is called as the
    model was. Reports go to `out_dir` (None: none): `model_check_result.txt`, `fx_graph.txt`,
    `qconfig_changelogs.txt`.

    Raises QflowError: QF251 no march; QF259 a prepared model; QF252 examples are missing; QF250
    names that match nothing; QF312 to QF314 from the trace; QF501 where a frozen dtype is not the
    march's; QF224 given scales that differ within a scale group. What the march lowers or lacks is
    said, and no error.
    """
    require_module(model, "prepare")
    method = _method(method)
    target = required(march)
    if method is PrepareMethod.EAGER:
        eager = import_module("qflow.quantization.eager")
        return eager.prepare_eager(  # type: ignore[no-any-return]
            model,
            example_inputs,
            qconfig_setter,
            example_kw_inputs=example_kw_inputs,
            march=target,
        )
    _refuse_prepared(model)
    args, kwargs = _arguments(example_inputs, example_kw_inputs, method)
    attributes = attributes_of(model)
    setters = setters_of(qconfig_setter)
    notes: list[Diagnostic] = []
    if not setters and not attributes:
        setters = (qconfig_template.default_calibration_qconfig_setter,)
        notes.append(_chosen_here())
    traced = trace_call(
        model,
        args,
        kwargs,
        input_names=input_names,
        output_names=output_names,
        graph=graph,
        method="symbolic" if method is PrepareMethod.SYMBOLIC else "example",
    )
    no_floats = whole_numbers(traced.module, args, kwargs)
    chosen = choose(traced, target, model, setters, attributes, no_floats)
    settled = settle(chosen.scene, chosen.answer.decisions)
    module = fuse(traced, chosen.scene.fusions, get_qat_mode().value)
    attach(module, {p.address: p for p in settled.plans}, target)
    facts = Facts(
        march=target.name,
        inventory=traced.inventory,
        plans=settled.plans,
        fusions=chosen.scene.fusions,
        unfused=chosen.unfused,
        changes=(*chosen.answer.changes, *settled.changes),
        whole_numbers=no_floats,
        notes=(*notes, *traced.notes, *chosen.answer.notes, *settled.notes),
    )
    set_facts(module, facts)
    _report(module, facts, args, kwargs, out_dir)
    return module


def _refuse_prepared(model: nn.Module) -> None:
    """A calibrated model is not prepared again for training: the float model is, once for each."""
    made = next((m for m in model.modules() if isinstance(m, (FakeQuantize, ConvertedModel))), None)
    if made is None:
        return
    what = "is prepared already" if isinstance(made, FakeQuantize) else "is an integer model"
    raise fail(
        Diagnostic(
            "QF259",
            f"`{type(model).__name__}` {what}, so it cannot be prepared",
            help="prepare the float model, and give the result the state dict of this one",
        )
    )


def _method(method: PrepareMethod | str) -> PrepareMethod:
    known = [m.value for m in PrepareMethod]
    if method in known:
        return PrepareMethod(method)
    near = nearest(str(method), tuple(known)) or tuple(known)
    notes = (f"the nearest: {', '.join(f'`{n}`' for n in near)}",)
    raise fail(Diagnostic("QF111", f"`{method}` is no method of `prepare`", notes=notes))


def _arguments(
    inputs: Any, keywords: Mapping[str, Any] | None, method: PrepareMethod
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Example inputs as the model is called with them."""
    if inputs is None and not keywords:
        raise fail(
            Diagnostic(
                "QF252",
                f"the method {method.name} needs example inputs",
                notes=("shapes decide how operators run, and setters see the model as it ran",),
                help="pass `example_inputs=(x,)`, or use `method=PrepareMethod.EAGER`",
            )
        )
    return arguments(inputs, keywords)


def _chosen_here() -> Diagnostic:
    return Diagnostic(
        "QF257",
        "no setter is given, no module has a qconfig: default_calibration_qconfig_setter is used",
        help="pass `qconfig_setter=`, as a model to be trained needs another one",
        severity="note",
    )


def _report(
    module: nn.Module,
    facts: Facts,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    out_dir: str | Path | None,
) -> None:
    """Check the model, say what is unusual, write the files."""
    checking = import_module("qflow.quantization.checking")
    # a mapping stands for arguments by name, so both kinds at once are not passed on
    examples = args if not kwargs else dict(kwargs) if not args else None
    result = checking.check_model(module, examples, out_dir)
    say((*facts.notes, *(d for d in result.diagnostics if not repeats(d, facts.notes))))
    if out_dir is None:
        return
    write(Path(out_dir) / GRAPH_FILE, dump(module))
    write(Path(out_dir) / changelog.FILE, changelog.changelog(facts.changes))
