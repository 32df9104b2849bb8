"""call_json: the structure of a call as JSON, for the header of an integer model's file.

Named tuples come back as tuples; keys must be words or whole numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.record import Damaged, Record
from qflow.export._model.structure import Leaf, Path, Structure

DEEPEST = 32
"""Containers in containers; a file with more was not written here."""


def to_json(structure: Structure, name: str) -> str:
    """Raises QflowError QF269 for keys and values that JSON does not have."""
    record = {
        "name": name,
        "parameters": list(structure.parameters),
        "inputs": [[n, p, [_key(k) for k in path]] for n, p, path in structure.inputs],
        "result": _tree(structure.result),
    }
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> tuple[Structure, str]:
    """The structure and the name of the function. Raises Damaged."""
    record = Record.parse(text, "the call")
    record.exactly("name", "parameters", "inputs", "result")
    inputs = record.data["inputs"]
    if not isinstance(inputs, list):
        raise Damaged("the call has no inputs")
    structure = Structure(
        record.texts("parameters"),
        tuple(_input(i) for i in inputs),
        _value(record.data["result"]),
    )
    return structure, record.text("name")


def _tree(value: Any) -> Any:
    if isinstance(value, Leaf):
        return {"tensor": value.name}
    if isinstance(value, Mapping):
        return {"dict": [[_key(k), _tree(v)] for k, v in value.items()]}
    if isinstance(value, (tuple, list)):
        word = "list" if isinstance(value, list) else "tuple"
        return {word: [_tree(v) for v in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    raise _unknown(f"the model returns a {type(value).__name__} besides tensors")


def _key(key: Any) -> str | int:
    if isinstance(key, (str, int)) and not isinstance(key, bool):
        return key
    raise _unknown(f"a dictionary has the key {key!r}")


def _unknown(text: str) -> Exception:
    return fail(
        Diagnostic(
            "QF269",
            f"the way the model is called cannot be stored: {text}",
            help="let it take and return tensors in tuples, lists and dictionaries of words",
        )
    )


def _value(tree: Any, depth: int = 0) -> Any:
    if depth > DEEPEST or not isinstance(tree, dict) or len(tree) != 1:
        raise Damaged("the call's result is no tree of containers")
    ((word, held),) = tree.items()
    if word == "tensor" and isinstance(held, str):
        return Leaf(held)
    if word == "value" and (held is None or isinstance(held, (bool, int, float, str))):
        return held
    if word in ("tuple", "list") and isinstance(held, list):
        parts = [_value(v, depth + 1) for v in held]
        return parts if word == "list" else tuple(parts)
    if word == "dict" and isinstance(held, list):
        return {_stored_key(pair): _value(pair[1], depth + 1) for pair in held}
    raise Damaged(f"the call's result has an unknown part `{word}`")


def _stored_key(pair: Any) -> str | int:
    if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) not in (str, int):
        raise Damaged("a dictionary of the call's result has no keys")
    key: str | int = pair[0]
    return key


def _input(entry: Any) -> tuple[str, str, Path]:
    if not isinstance(entry, list) or [type(e) for e in entry] != [str, str, list]:
        raise Damaged("an input of the call is no name, parameter and path")
    name, parameter, path = entry
    if not all(type(key) in (str, int) for key in path):
        raise Damaged(f"the path of `{name}` is none")
    return name, parameter, tuple(path)
