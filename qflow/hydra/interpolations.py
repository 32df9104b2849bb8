"""interpolations: what may fill in `${...}`: values of the same configuration, and nothing else.

A plan must be the same on every machine, so what reads the environment, the clock or the host is
refused rather than recorded: `params.x=$X` on the command line says the same, and is seen. And a
resolver of one's own may run any code.
"""

import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from qflow.diagnostics import Diagnostic

ALLOWED = frozenset({"oc.select", "oc.create", "oc.decode", "oc.dict.keys", "oc.dict.values"})
"""Resolvers of OmegaConf that read the configuration alone."""
_OPEN = re.compile(r"(?<!\\)(?:\\\\)*\$\{")
_NAME = re.compile(r"\s*([^{}:$]*?)\s*([:}$])")


def problems(config: DictConfig, at: str) -> Iterator[Diagnostic]:
    """QF146 for everything of the program at `at`, or that it leads to, that may not be used."""
    root = OmegaConf.to_container(config, resolve=False)
    waiting: list[tuple[str, Any]] = [(at, _at(root, at))]
    seen: set[str] = {at}
    told: set[str] = set()
    while waiting:
        where, data = waiting.pop()
        for path, text in _texts(data, where):
            for name, is_call in references(text):
                if is_call and name not in ALLOWED and text not in told:
                    told.add(text)
                    yield _refused(path, text, name)
                for target in _targets(name, is_call):
                    if target not in seen:
                        seen.add(target)
                        waiting.append((target, _at(root, target)))


def references(text: str) -> Iterator[tuple[str, bool]]:
    """What each `${` of a text names, and whether it calls a resolver; inner ones as well."""
    for opening in _OPEN.finditer(text):
        found = _NAME.match(text, opening.end())
        if found is None:
            yield "", True
        elif found[2] == "$":
            # a name that is put together: what it will be cannot be told
            yield "", ":" in text[opening.end() :]
        else:
            yield found[1], found[2] == ":"


def _targets(name: str, is_call: bool) -> tuple[str, ...]:
    """Parts of the configuration that may be read; the root where that cannot be told."""
    if is_call or not name or name.startswith("."):
        return ("",)
    return (name,)


def _at(root: Any, path: str) -> Any:
    """A part of plain data; all but `hydra` for the root; None when it is not there."""
    if not path:
        return {k: v for k, v in root.items() if k != "hydra"}
    for part in re.split(r"[.\[\]]+", path.rstrip("]")):
        if isinstance(root, dict) and part in root:
            root = root[part]
        elif isinstance(root, list) and part.isdigit() and int(part) < len(root):
            root = root[int(part)]
        elif isinstance(root, str):
            # a part of something that is filled in itself
            return root
        else:
            return None
    return root


def _texts(data: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, f"{path}[{number}]")


def _refused(path: str, text: str, name: str) -> Diagnostic:
    if name == "oc.env":
        reason = "a plan may not depend on the environment of a machine"
        help_ = "make it a param, and give it on the command line: `params.NAME=$VARIABLE`"
    else:
        reason = f"a resolver such as `{name or '${...}'}` may run any code, or read the host"
        help_ = f"it may be {', '.join(f'`{a}`' for a in sorted(ALLOWED))}, or the name of a value"
    return Diagnostic(
        "QF146",
        f"`{path}` is filled in from outside of the configuration: `{text}`",
        notes=(reason,),
        help=help_,
        about=path,
    )
