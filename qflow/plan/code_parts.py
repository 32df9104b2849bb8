"""code_parts: a Python file as digests of its classes and functions, so that branches can merge.

A digest over a whole file is another one on every branch that touches it; one over a class is
another only where the class is.
"""

import ast
import warnings
from hashlib import sha256

REST = "<module>"
"""What stands in no class or function: imports, constants."""


def parts(raw: bytes) -> dict[str, str]:
    """Name to digest, sorted by name; of a file that is no Python only `""`, the whole.

    Comments and empty lines between classes and functions belong to none of them.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    try:
        with warnings.catch_warnings():
            # what the file is warned of is told where it is run
            warnings.simplefilter("ignore")
            body = ast.parse(raw).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"": _digest(raw)}
    lines = raw.split(b"\n")
    found: dict[str, list[bytes]] = {}
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        text = lines[first - 1 : node.end_lineno]
        found.setdefault(_name(node), []).extend(text)
    return {name: _digest(b"\n".join(text)) for name, text in sorted(found.items())}


def _name(node: ast.stmt) -> str:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    return REST


def _digest(raw: bytes) -> str:
    return f"sha256:{sha256(raw).hexdigest()}"
