"""QF727 (P27): nodes of inputs and outputs are removed or inserted at the wrong time."""

import ast
from collections.abc import Iterator

from qflow.diagnostics import Diagnostic
from qflow.lint._finding import warning
from qflow.lint._flow import Event, flows
from qflow.lint._script import Script

BEFORE = (
    "insert_transpose",
    "insert_image_preprocess",
    "insert_image_convert",
    "insert_roi_resize",
    "insert_split",
)
AFTER = ("remove_io_op", "insert_rle")


class Qf727:
    """The export or compile of post-processing fails, or the board expects other inputs.

    Why: `insert_*` describe the float graph and come before `convert`; quantize and dequantize
    nodes exist after it only, so removing them, and `insert_rle`, come behind. On one input the
    order is transpose, preprocess, image convert.

    How to mend: insert, convert, remove.

    Anti-pattern:

        func.remove_io_op(op_types=["Dequantize", "Quantize"])
        quantized = convert(model, march)

    Best practice:

        quantized = convert(model, march)
        quantized.functions[0].remove_io_op(op_types=["Dequantize", "Quantize"])
    """

    def check_script(self, script: Script) -> Iterator[Diagnostic]:
        for flow in flows(script):
            converts = [i for i, e in enumerate(flow) if e.name == "convert"]
            if not converts:
                continue
            for place, event in enumerate(flow):
                if event.name in BEFORE and place > converts[-1]:
                    text = f"`{event.name}` after `convert` is too late"
                    yield warning("QF727", text, script.span(event.node), "insert before `convert`")
                elif place < converts[0] and event.name in AFTER and _needs_convert(event):
                    text = f"`{event.name}` before `convert`: there is nothing of that kind yet"
                    yield warning("QF727", text, script.span(event.node), "do this after `convert`")
            yield from _input_order(script, flow)


def _needs_convert(event: Event) -> bool:
    """Transposes and the like are there before; Quantize and Dequantize are not."""
    return event.name == "insert_rle" or "uantize" in ast.unparse(event.node)


def _input_order(script: Script, flow: tuple[Event, ...]) -> Iterator[Diagnostic]:
    """Per object: transpose, then preprocess, then convert or resize."""
    rank = {"insert_transpose": 0, "insert_image_preprocess": 1}
    rank.update(insert_image_convert=2, insert_roi_resize=2)
    last: dict[str, int] = {}
    for event in flow:
        if event.name in rank and event.on:
            if rank[event.name] < last.get(event.on, 0):
                text = f"`{event.name}` stands behind what must follow it"
                help = "transpose first, then preprocess, then convert the image"
                yield warning("QF727", text, script.span(event.node), help)
            last[event.on] = rank[event.name]
