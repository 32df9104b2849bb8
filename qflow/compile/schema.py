"""schema: the JSON schema of the YAML form, from the registries: for editors, which complete by it.

A param may stand for any value, so words of a registry are offered and others are not refused;
keys, forms and the words of the language itself are exact.
"""

from collections.abc import Iterable
from typing import Any, get_args

from qflow import march
from qflow.compile import builtin, facts, scales
from qflow.compile.exports import DTYPES as EXPORTED
from qflow.compile.exports import LAYOUTS
from qflow.compile.model import TRACES
from qflow.compile.params import TYPES
from qflow.compile.qfields import CORE, OBSERVERS, PARTS
from qflow.compile.training import LOSSES, METHODS, METRICS, OPTIMIZERS, SCHEDULERS
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.lang.parse import EDITION
from qflow.lang.yaml.stages import FROZEN, STATES
from qflow.tables.reading import FORMATS

Schema = dict[str, Any]

_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_DOTTED = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
_ESCAPED = r"^\.[A-Za-z_]"
"""A key with a dot before it: a field whatever it is called."""
_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/name"}]}
_VALUE: Schema = {"$ref": "#/$defs/value"}
_SELECTOR: Schema = {"$ref": "#/$defs/selector"}
_WORD: Schema = {"$ref": "#/$defs/name"}


def schema() -> Schema:
    """The whole schema, plain data; the same for the same version and installed extensions."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/qflow/qflow/grammar/schema.json",
        "title": "qflow pipeline",
        "description": f"A qflow program, edition {EDITION}, in YAML.",
        **_object(_document(), required=["qflow"]),
        "$defs": _definitions(),
    }


def _object(
    properties: Schema, required: Iterable[str] = (), patterns: Schema | None = None
) -> Schema:
    done: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if patterns:
        done["patternProperties"] = patterns
    if needed := list(required):
        done["required"] = needed
    return done


def _by_name(inner: Schema, pattern: str = _NAME) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": inner}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _offered(words: Iterable[str], about: str = "") -> Schema:
    """Any value; an editor completes the words."""
    found: Schema = {"anyOf": [{"enum": sorted(words)}, _VALUE]}
    return {**found, "description": about} if about else found


def _document() -> Schema:
    return {
        "qflow": {"const": EDITION, "description": "The edition of the language."},
        "use": {
            "description": "Other files: the name before the dot, and the path.",
            "anyOf": [
                _by_name(_TEXT),
                _list(_object({"file": _TEXT, "as": _WORD}, ["file"])),
            ],
        },
        "params": {**_by_name(_param()), "description": "What may be changed from outside."},
        "model": _by_name(_block("model"), _DOTTED),
        "target": _by_name(_block("target"), _DOTTED),
        "data": _by_name(_block("data"), _DOTTED),
        "qconfig": _by_name(_qconfig(base=True), _DOTTED),
        "sensitivity": _by_name(_block("sensitivity"), _DOTTED),
        "graph": _list({"$ref": "#/$defs/graph"}),
        "rule_sets": _by_name(_list({"$ref": "#/$defs/rule"})),
        "order": _list({"$ref": "#/$defs/dotted"}),
        "quantize": {
            **_list({"$ref": "#/$defs/rule"}),
            "description": "Top to bottom; the last rule that matches a module decides it.",
        },
        "schedule": _list({"$ref": "#/$defs/stage"}),
        "check": _list({"$ref": "#/$defs/assertion"}),
        "export": _by_name(_block("export"), _DOTTED),
        "sweep": _by_name(
            {"type": "object", "properties": {"zip": {"type": "boolean"}},
             "additionalProperties": _VALUE}
        ),
    }  # fmt: skip


def _param() -> Schema:
    declared = _object(
        {
            "type": {"enum": [*TYPES], "default": "int"},
            "value": _VALUE,
            "in": {"anyOf": [_list(_VALUE), {"type": "string", "pattern": r"\.\."}]},
        },
        ["value"],
    )
    plain: Schema = {"type": ["string", "number", "boolean"]}
    return {"anyOf": [plain, declared]}


def _block(kind: str) -> Schema:
    return _object({"path": _TEXT, **_FIELDS[kind]()}, patterns={_ESCAPED: _VALUE})


def _model() -> Schema:
    ports = {"type": "object", "additionalProperties": _VALUE}
    return {
        "entry": _VALUE,
        "file": _VALUE,
        "example": ports,
        "seed": _WHOLE,
        "tolerance": _VALUE,
        "args": _VALUE,
        "checkpoint": _VALUE,
        "input": ports,
        "output": ports,
        "trace": _offered(TRACES),
    }


def _target() -> Schema:
    profiles = (p.replace("_", ".", 1) for p in facts.known("emulation.profiles"))
    return {
        "march": _offered(march.names(), "The accelerator family."),
        "profile": _offered(profiles),
        "unlisted": _offered(("error", "float")),
        "emulation": _offered(("integer",)),
        "colour": _VALUE,
    }


def _data() -> Schema:
    return {
        "loader": _VALUE,
        "source": _VALUE,
        "samples": _WHOLE,
        "batch": _WHOLE,
        "seed": _WHOLE,
        "metric": _offered(facts.known(METRICS)),
        "keys": _VALUE,
        "preprocess": _VALUE,
        "args": _VALUE,
    }


def _sensitivity() -> Schema:
    return {
        "data": _WORD,
        "metric": _offered(facts.known("analysis.similarity")),
        "candidate": {"$ref": "#/$defs/dotted"},
        "table": _VALUE,
        "output": _VALUE,
        "samples": _WHOLE,
    }


def _export() -> Schema:
    own = (n for target in facts.known("export") for n, _, _ in facts.settings("export", target))
    ports = {"type": "object"}
    return {
        **{name: _VALUE for name in sorted({*own, "opset"})},
        "layout": {**ports, "additionalProperties": _offered(LAYOUTS)},
        "dtype": {**ports, "additionalProperties": _offered(EXPORTED)},
    }


_FIELDS = {
    "model": _model,
    "target": _target,
    "data": _data,
    "sensitivity": _sensitivity,
    "export": _export,
}


def _qconfig(base: bool = False) -> Schema:
    """Fields of a qconfig, written `act.dtype` or below `act`."""
    flat: Schema = {"base": {"$ref": "#/$defs/dotted"}} if base else {}
    nested: Schema = {}
    for part in PARTS:
        inner = {name: _qfield(name) for name in _qnames()}
        flat |= {f"{part}.{name}": found for name, found in inner.items()}
        nested[part] = _object(inner)
    words = _offered(("int8", "int16", "int32"))
    flat["out.dtype"] = words
    nested["out"] = _object({"dtype": words})
    return _object({**flat, **nested}, patterns={_ESCAPED: _VALUE})


def _qnames() -> list[str]:
    observers = facts.known(OBSERVERS)
    own = {name for observer in observers for name, _, _ in facts.settings(OBSERVERS, observer)}
    return [*CORE, *sorted(own - {*CORE})]


def _qfield(name: str) -> Schema:
    match name:
        case "dtype":
            return _offered(DTYPES)
        case "scheme":
            return _offered(("per_tensor", "per_channel"))
        case "observer":
            return _offered(facts.known(OBSERVERS))
        case _:
            return _VALUE


def _definitions() -> Schema:
    return {
        "name": {"type": "string", "pattern": _NAME},
        "dotted": {"type": "string", "pattern": _DOTTED},
        "value": {
            "type": ["string", "number", "boolean", "array", "object"],
            "items": _VALUE,
            "additionalProperties": _VALUE,
        },
        "atom": _atom(),
        "selector": {
            "anyOf": [{"$ref": "#/$defs/atom"}, {**_list({"$ref": "#/$defs/atom"}), "minItems": 1}]
        },
        "qconfig": _qconfig(),
        "action": _action(),
        "graph": _one_of(
            _object({"wrap": _TEXT}, ["wrap"]),
            _object({"leaf": _SELECTOR, "except": _SELECTOR}, ["leaf"]),
            _object({"fuse": _fused(), "in": _TEXT}, ["fuse"]),
        ),
        "rule": _one_of(*_rules()),
        "stage": _stage(),
        "training": _trained(),
        "assertion": _one_of(
            *(_object({w: _claim(), "data": {"$ref": "#/$defs/dotted"}}, [w])
              for w in ("assert", "warn"))
        ),
    }  # fmt: skip


def _one_of(*forms: Schema) -> Schema:
    return {"oneOf": [*forms]}


def _fused() -> Schema:
    return {"type": "string", "pattern": r"^\w+( *\+ *\w+)*$"}


def _claim() -> Schema:
    return {"type": "string", "pattern": r"^.+( is [A-Za-z_]| ?(>=|<=|==|!=|>|<) ?.)"}


def _atom() -> Schema:
    functions = "|".join(facts.known("compile.selectors"))
    operators = _with_text(facts.operators())
    return {
        "anyOf": [
            {"type": "string"},
            _object({"type": {"$ref": "#/$defs/dotted"}, "in": _TEXT}, ["type"]),
            _object({"op": operators, "in": _TEXT}, ["op"]),
            _object({"call": {"type": "string", "pattern": rf"^({functions})\(.*\)$"}}, ["call"]),
        ]
    }


def _with_text(words: Iterable[str]) -> Schema:
    return {"anyOf": [{"enum": sorted(words)}, {"$ref": "#/$defs/dotted"}]}


def _actions() -> list[tuple[Schema, list[str]]]:
    changes = {"$ref": "#/$defs/qconfig"}
    return [
        ({"use": _with_text(builtin.names()), "with": changes}, ["use"]),
        ({"patch": changes}, ["patch"]),
        ({"float": {"const": True}}, ["float"]),
        ({"scales_from": _TEXT, "with": _scales()}, ["scales_from"]),
    ]


def _scales() -> Schema:
    return _object(
        {
            "format": _with_text(facts.known(FORMATS)),
            "map": {"anyOf": [_TEXT, _list(_list(_TEXT))]},
            "missing": _with_text(scales.MISSING),
            "ambiguous": _with_text(scales.AMBIGUOUS),
        }
    )


def _action() -> Schema:
    return _one_of(*(_object(properties, required) for properties, required in _actions()))


def _rules() -> list[Schema]:
    matched: Schema = {
        "match": _SELECTOR,
        "except": _SELECTOR,
        "optional": {"type": "boolean"},
        "expect": {"type": "integer", "minimum": 0},
    }
    rules = [
        _object({**matched, **properties}, ["match", *required])
        for properties, required in _actions()
    ]
    default = _object({"default": {"$ref": "#/$defs/action"}}, ["default"])
    return [default, *rules, _object({"apply": {"$ref": "#/$defs/dotted"}}, ["apply"])]


def _stage() -> Schema:
    trained = {"$ref": "#/$defs/training"}
    selected = {"of": _SELECTOR, "except": _SELECTOR, "from_epoch": _WHOLE}
    steps = _one_of(
        _object({"state": {"enum": [*STATES]}, **selected}, ["state", "of"]),
        _object({"freeze": {"enum": [*FROZEN]}, **selected}, ["freeze", "of"]),
        _object({"set": trained}, ["set"]),
    )
    properties = {
        "stage": _WORD,
        "data": {"$ref": "#/$defs/dotted"},
        "epochs": _WHOLE,
        "set": trained,
        "do": _list(steps),
    }
    return _object(properties, ["stage", "data"])


def _trained() -> Schema:
    """How a stage trains. An entry point may take fields of any name."""
    kinds = {"optimizer": OPTIMIZERS, "scheduler": SCHEDULERS, "loss": LOSSES, "method": METHODS}
    offered = {name: _offered(facts.known(kind)) for name, kind in kinds.items()}
    numbers = ("lr", "momentum", "weight_decay", "clip_grad_norm", "patience", "validate", "keep")
    properties = {**offered, **{n: _VALUE for n in numbers}}
    properties["metric"] = _offered(facts.known(METRICS))
    methods = facts.known(METHODS)
    own = {name for method in methods for name, _, _ in facts.settings(METHODS, method)}
    properties |= {name: _VALUE for name in sorted(own - {*properties})}
    dotted = r"^(optimizer|scheduler|loss)\."
    return {
        "if": {"properties": {"method": {"pattern": ":"}}, "required": ["method"]},
        "then": {"type": "object"},
        "else": _object(properties, patterns={_ESCAPED: _VALUE, dotted: _VALUE}),
    }


assert set(_FIELDS) | {"qconfig"} == {*get_args(syntax.BlockKind)}, "every kind has its fields"
