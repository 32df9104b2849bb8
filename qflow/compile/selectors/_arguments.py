"""Arguments of a selector function: positional ones in order, then fields, judged as a block's."""

from qflow.compile.values import Reader
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax

Positional = syntax.String | syntax.Number | syntax.Name


def split(call: syntax.Call) -> tuple[list[Positional], Reader]:
    """Positional arguments, and a reader of the keywords."""
    positional: list[Positional] = []
    fields: list[syntax.Field] = []
    for argument in call.args:
        if isinstance(argument, syntax.Keyword):
            fields.append(
                syntax.Field(
                    argument.name, argument.value, span=argument.span, name_span=argument.span
                )
            )
        else:
            positional.append(argument)
    return positional, Reader(f"`{call.function}`", call.span, fields)


def takes(call: syntax.Call, form: str) -> Diagnostic:
    """QF115 with the form the function is written in."""
    return Diagnostic("QF115", f"`{call.function}` is written `{form}`", at=call.span)
