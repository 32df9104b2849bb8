"""choosing: the launcher a person names, with its options as its dataclass types them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.sweep.launcher import Launcher

KIND = "sweep.launchers"
_TRUTH = {"true": True, "false": False}
_NAMES = {int: "whole number", float: "number", bool: "`true` or `false`", str: "text"}


def launcher(name: str, options: Mapping[str, str]) -> Launcher:
    """Raises QflowError with all that is wrong: QF110 a name, QF113 a value that is of another
    type, and what the launcher itself says of its options and of this machine."""
    known = registry.names(KIND)
    if name not in known:
        raise fail(_unknown("launcher", name, known))
    owner = registry.load(KIND, name)
    found: list[Diagnostic] = []
    made: Launcher = owner(**_typed(name, owner, options, found))
    found += made.check()
    if found:
        raise QflowError(tuple(found))
    return made


def _typed(
    name: str, owner: type, options: Mapping[str, str], found: list[Diagnostic]
) -> dict[str, Any]:
    types = get_type_hints(owner)
    types = {f.name: types[f.name] for f in fields(owner)}
    values: dict[str, Any] = {}
    for option, text in options.items():
        if option not in types:
            found.append(_unknown(f"option of `{name}`", option, tuple(types)))
            continue
        try:
            values[option] = _value(types[option], text)
        except ValueError:
            what = f"a {_NAMES[types[option]]}".replace("a `", "`")
            message = f"`{option}` of the launcher `{name}` is {what}, not `{text}`"
            found.append(Diagnostic("QF113", message))
    return values


def _value(type_: type, text: str) -> Any:
    """Raises ValueError."""
    if type_ is bool:
        if text not in _TRUTH:
            raise ValueError(text)
        return _TRUTH[text]
    return type_(text)


def _unknown(what: str, word: str, known: tuple[str, ...]) -> Diagnostic:
    near = registry.nearest(word, known)
    listed = f"there are {', '.join(f'`{k}`' for k in known)}" if known else "it has none"
    return Diagnostic(
        "QF110",
        f"there is no {what} called `{word}`",
        notes=(listed,),
        help=f"did you mean `{near[0]}`?" if near else "",
    )
