"""model: the `model` block: what is built, from which weights, with which inputs and outputs."""

from dataclasses import replace

from qflow.compile import examples, model_file, whole
from qflow.compile.unit import Unit
from qflow.compile.values import (
    DICT,
    INTEGER,
    NUMBER,
    STRING,
    Reader,
    any_of,
    describe,
    unknown,
)
from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.plan.plan import ModelSpec, PortPlan
from qflow.plan.sources import TOLERANCE

TRACES = ("symbolic", "example")
"""Ways to trace a model."""


def read(unit: Unit) -> Unit:
    """Sets `model`, unless a field that everything needs is missing or wrong."""
    if not unit.program.models:
        return unit
    block = unit.program.models[0]
    fields = Reader(f"model `{block.name}`", block.name_span, block.fields)
    entry, file = model_file.read(fields)
    if entry and not is_entry(entry):
        fields.add(bad_entry("entry", entry, fields))
    args = fields.pairs("args")
    checkpoint = fields.optional("checkpoint", STRING)
    trace = fields.one_of("trace", TRACES, TRACES[0])
    inputs = _ports(fields, "input", "{image: float32[N, 3, 224, 224]}")
    outputs = _ports(fields, "output", "{logits: float32[N, 10]}")
    draws = examples.read(fields, inputs or ())
    seed = fields.at_least("seed", INTEGER, 0)
    tolerance = fields.at_least("tolerance", NUMBER, 0)
    taken = {p.name for p in inputs or ()}
    if both := next((p.name for p in outputs or () if p.name in taken), None):
        fields.add(
            Diagnostic(
                "QF114",
                f"`{both}` names an input and an output",
                at=fields.span("output"),
                help="give the output another name",
            )
        )
    unit = unit.having(fields.findings())
    if not (entry or file) or inputs is None or outputs is None:
        return unit
    pairs = tuple(sorted(args.items()))
    model = ModelSpec(
        block.name,
        entry,
        pairs,
        checkpoint,
        inputs,
        outputs,
        block.name_span,
        fields.spans(),
        trace,
        file,
        draws,
        seed or 0,
        TOLERANCE if tolerance is None else tolerance,
    )
    return replace(unit, model=model)


def is_entry(text: str) -> bool:
    """`package.module:attribute`, each part a Python name."""
    module, colon, attribute = text.partition(":")
    return bool(colon) and all(
        p.isidentifier() for p in (*module.split("."), *attribute.split("."))
    )


def bad_entry(name: str, text: str, fields: Reader) -> Diagnostic:
    return Diagnostic(
        "QF111",
        f"`{name}` must be an entry point, not `{text}`",
        at=fields.span(name),
        help=f'write `{name} = "package.module:function"`',
    )


def _ports(fields: Reader, name: str, example: str) -> tuple[PortPlan, ...] | None:
    """Declared tensors as written: it is the order of the forward's arguments or results."""
    found = fields.required(name, DICT, example)
    if found is None:
        return None
    if not found.entries:
        fields.add(Diagnostic("QF115", f"`{name}` names no tensor", at=found.span))
    ports: list[PortPlan] = []
    for port, value in found.entries:
        if port in [p.name for p in ports]:
            fields.add(Diagnostic("QF114", f"{name} `{port}` is defined twice", at=value.span))
        elif isinstance(value, syntax.TensorType):
            ports.append(_port(fields, name, port, value))
        else:
            fields.add(
                Diagnostic(
                    "QF113",
                    f"{name} `{port}` is {describe(value)}, not a tensor type",
                    at=value.span,
                    help="write a dtype and dimensions: `float32[N, 3, 224, 224]`",
                )
            )
    return tuple(ports)


def _port(fields: Reader, role: str, name: str, value: syntax.TensorType) -> PortPlan:
    known = ("float32", *whole.DTYPES)
    if value.dtype not in (*DTYPES, *whole.DTYPES):
        fields.add(unknown("dtype", value.dtype, known, value.span))
    elif value.dtype not in known:
        fields.add(
            Diagnostic(
                "QF111",
                f"no {role} of a model is {value.dtype}",
                at=value.span,
                help=f"write {any_of(known)}; what an exported file takes is said in `export`",
            )
        )
    if any(isinstance(d, int) and d < 1 for d in value.dims):
        fields.add(Diagnostic("QF111", "a dimension must be 1 or more", at=value.span))
    return PortPlan(name, value.dtype, value.dims)
