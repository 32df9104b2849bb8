"""P27: dequantizes removed before they exist, and after."""

from tests.lint.pitfalls.by import Findings, script

WRONG = """
    graph = export(model, x)
    function = graph.functions[0]
    function.remove_io_op(op_types=["Dequantize", "Quantize"])
    quantized = convert(graph, "nash-m")
    port = quantized.inputs[0]
    port.insert_image_convert("nv12")
"""
RIGHT = """
    graph = export(model, x)
    port = graph.inputs[0]
    port.insert_transpose([0, 3, 1, 2])
    port.insert_image_preprocess(mode=None)
    port.insert_image_convert("nv12")
    quantized = convert(graph, "nash-m")
    function = quantized.functions[0]
    function.remove_io_op(op_types=["Dequantize", "Quantize"])
"""


def wrong() -> Findings:
    found = script(WRONG)
    assert len(found) == 2, found
    return found


def right() -> Findings:
    return script(RIGHT)
