"""scalars: what a plain YAML scalar says: a number, a word or text; never what readers disagree on.

YAML 1.1 (PyYAML, Hydra) reads `on` as true, `010` as 8, `1:30` as 90; YAML 1.2 does not, and `1e3`
is a number for one and text for the other. What all agree on is taken; `1e3` is a number here as
in Hydra; the rest is QF142, with the two ways to write what was meant.
"""

import re

from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.lang.yaml.nodes import EMPTY, Scalar

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
TENSOR = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]*)\[ *((?:[A-Za-z_][A-Za-z0-9_]*|0|[1-9][0-9]*)"
    r"(?: *, *(?:[A-Za-z_][A-Za-z0-9_]*|0|[1-9][0-9]*))*) *\]"
)
INTERPOLATION = re.compile(r"(?<!\\)\$\{")
_TRUTHS = frozenset({"yes", "no", "on", "off", "true", "false"})
_NUMERIC = re.compile(
    r"[-+]?(0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"
)
_MOST_DIGITS = 18


def reads_otherwise(text: str) -> bool:
    """Whether some YAML reader takes a plain scalar for something else than this one does."""
    if text in ("true", "false"):
        return False
    if text.lower() in _TRUTHS or text in EMPTY:
        return True
    exact = INTEGER.fullmatch(text) or DECIMAL.fullmatch(text)
    return bool(_NUMERIC.fullmatch(text)) and (not exact or text == "-0")


def value(node: Scalar) -> syntax.Value | Diagnostic:
    """A scalar where the language has a value; QF142 for what readers disagree on."""
    if INTERPOLATION.search(node.text):
        return interpolation(node)
    if tensor := TENSOR.fullmatch(node.text):
        dims = tuple(int(d) if d.isdigit() else d for d in map(str.strip, tensor[2].split(",")))
        if all(isinstance(d, str) or len(str(d)) <= _MOST_DIGITS for d in dims):
            return syntax.TensorType(tensor[1], dims, span=node.span)
        return _too_large(node)
    if node.quoted:
        return syntax.String(node.text, span=node.span)
    if reads_otherwise(node.text):
        return ambiguous(node)
    if INTEGER.fullmatch(node.text):
        return _number(node, int(node.text) if len(node.text) <= _MOST_DIGITS + 1 else None)
    if DECIMAL.fullmatch(node.text):
        number = float(node.text)
        return _number(node, number if abs(number) != float("inf") else None)
    if NAME.fullmatch(node.text):
        return syntax.Name(node.text, span=node.span)
    return syntax.String(node.text, span=node.span)


def _number(node: Scalar, number: int | float | None) -> syntax.Number | Diagnostic:
    digits = node.text.lstrip("-")
    if number is None or (isinstance(number, int) and len(digits) > _MOST_DIGITS):
        return _too_large(node)
    return syntax.Number(number, node.text, span=node.span)


def _too_large(node: Scalar) -> Diagnostic:
    label = "does not fit 64 bits"
    return Diagnostic("QF142", "this number is too large", at=node.span, label=label)


def ambiguous(node: Scalar) -> Diagnostic:
    """QF142 with what to write."""
    if node.text in EMPTY:
        help_ = "write the value, or leave the key out"
        return Diagnostic("QF142", "there is no value here", at=node.span, help=help_)
    lower = node.text.lower()
    if lower in _TRUTHS:
        truth = "true" if lower in ("yes", "on", "true") else "false"
        help_ = f'write `{truth}`, or `"{node.text}"` for the text'
    else:
        help_ = f'write a plain decimal number, or `"{node.text}"` for the text'
    message = f"YAML readers do not agree on what `{node.text}` is"
    return Diagnostic("QF142", message, at=node.span, help=help_)


def interpolation(node: Scalar) -> Diagnostic:
    """QF146: only Hydra fills in `${...}`."""
    return Diagnostic(
        "QF146",
        "an interpolation that nothing fills in",
        at=node.span,
        help="name the param without `${}`, or compose the file with `python -m qflow.hydra`",
    )
