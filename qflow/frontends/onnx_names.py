"""onnx_names: addresses of the nodes of an ONNX graph, out of the names that exporters give them.

`/stem/conv/Conv` was made by `stem.conv`, `/block1/Add` by `block1`; `/layer/layer.0/Relu` by
`layer.0`. Names of other forms, such as `Conv_0` or `net/pool:0`, are the address of their node.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from qflow.frontends.onnx_values import Node
from qflow.frontends.recipe import Owner

_SCOPES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
_WORD = re.compile(r"[^0-9A-Za-z_]")


def owner_of(node: Node, weights: Sequence[str]) -> Owner:
    """Whose call a node is; `weights` are the names of the tensors it reads."""
    if (told := _told(node.metadata)) is not None:
        return told
    holders = [w.removesuffix(".weight") for w in weights if w.endswith(".weight")]
    holder = next((h for h in holders if _is_address(h)), "")
    if node.name.startswith("/"):
        scope = _joined(node.name.split("/")[1:-1])
        # a module that is called again has a number behind its name
        again = holder and re.fullmatch(rf"{re.escape(holder)}_\d+", scope)
        return Owner(holder if again else scope)
    if holder:
        return Owner(holder)
    if not node.name:
        return Owner()
    parts = [p for p in re.split(r"[/.]", node.name) if p]
    if len(parts) > 1 and re.fullmatch(rf"{re.escape(node.op)}(_\d+)?", parts[-1]):
        parts.pop()
    return Owner(".".join(_word(p) for p in parts))


def held_name(name: str) -> str:
    """A name for a tensor: its own where that can be one."""
    return name if _is_address(name) else f"_weights.{_word(name)}"


def _told(metadata: Mapping[str, str]) -> Owner | None:
    """What the newer exporter of torch writes beside a node."""
    scopes, classes = (_listed(metadata.get(k, "")) for k in (_SCOPES, _CLASSES))
    if len(scopes) < 2:
        return None
    address = scopes[-2]
    if address and not _is_address(address):
        return None
    return Owner(address, classes[-2] if len(classes) == len(scopes) else "")


def _listed(text: str) -> list[str]:
    try:
        found = ast.literal_eval(text) if text else []
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    return found if isinstance(found, list) and all(isinstance(v, str) for v in found) else []


def _joined(scopes: Sequence[str]) -> str:
    parts: list[str] = []
    before = ""
    for scope in scopes:
        own = scope.removeprefix(f"{before}.") if before else scope
        parts += (_word(p) for p in own.split(".") if p)
        before = scope
    return ".".join(parts)


def _word(text: str) -> str:
    return _WORD.sub("_", text) or "_"


def _is_address(name: str) -> bool:
    return all(part and not _WORD.search(part) for part in name.split("."))
