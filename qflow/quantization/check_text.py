"""check_text: the six sections of `model_check_result.txt`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qflow.quantization.facts import Unfused
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.layers import Layer
from qflow.quantization.remarks import remarks, shown
from qflow.quantization.table import table


@dataclass(frozen=True)
class Checked:
    """What the sections are written from."""

    layers: tuple[Layer, ...]
    unfused: tuple[Unfused, ...]
    types: dict[str, str]
    """Class per address, of the model before fusion."""
    calls: dict[str, int]
    """How often each module ran; 0: never."""


def check_text(checked: Checked) -> str:
    """All sections, in the field's order."""
    return "\n".join(section(checked) for section in SECTIONS)


def qconfig_text(checked: Checked) -> str:
    """The sections about qconfigs alone."""
    return "\n".join(section(checked) for section in (outputs, weights, please_check))


def fusable(checked: Checked) -> str:
    if not checked.unfused:
        return "All fusable modules are fused in model!\n"
    parts = ["Fusable modules are listed below:\n"]
    for group in checked.unfused:
        rows = [(_shared(checked, m), checked.types.get(m, "")) for m in group.members]
        parts.append(table(("name", "type"), rows) + f"not fused: {group.why}\n")
    return "\n".join(parts)


def called_times(checked: Checked) -> str:
    unusual = [(a, str(n)) for a, n in checked.calls.items() if n != 1]
    if not unusual:
        return "All modules in the model run exactly once.\n"
    return "Each module called times:\n\n" + table(("name", "called times"), unusual)


def dtype_statistics(checked: Checked) -> str:
    given = Counter(shown(d) for x in checked.layers for d in x.inputs)
    out = Counter(shown(x.output) for x in checked.layers)
    rows = [(d, str(given[d]), str(out[d])) for d in sorted(given | out)]
    header = ("dtype", "inputs", "outputs")
    return "input/output dtype statistics:\n\n" + table(header, rows)


def outputs(checked: Checked) -> str:
    header = ("Module Name", "Module Type", "Input dtype", "out dtype", "ch_axis", "observer")
    rows = [_output_row(layer) for layer in checked.layers]
    return "Each layer out qconfig:\n\n" + table(header, rows)


def weights(checked: Checked) -> str:
    header = ("Module Name", "Module Type", "weight dtype", "ch_axis", "observer")
    rows = [
        (x.address, x.type, shown(str(x.weight.dtype)), _axis(x.weight), repr(x.weight.observer))
        if x.weight
        else (x.address, x.type, "qconfig = None", "", "")
        for x in checked.layers
        if x.weight or x.has_weight
    ]
    return "Weight qconfig:\n\n" + table(header, rows)


def please_check(checked: Checked) -> str:
    producers = {x.address: x for x in checked.layers}
    rows = [(x.address, x.type, text) for x in checked.layers for text in remarks(x, producers)]
    if not rows:
        return "Please check if these OPs qconfigs are expected..\n\nnothing unusual was found\n"
    header = ("Module Name", "Module Type", "Msg")
    return "Please check if these OPs qconfigs are expected..\n\n" + table(header, rows)


SECTIONS: tuple[Callable[[Checked], str], ...] = (
    fusable,
    called_times,
    dtype_statistics,
    outputs,
    weights,
    please_check,
)


def _output_row(layer: Layer) -> Sequence[str]:
    given = ", ".join(_inputs(layer)) or "unknown"
    if layer.act is not None:
        state = (shown(str(layer.act.dtype)), _axis(layer.act), repr(layer.act.observer))
    elif layer.output == "int32":
        state = (shown(layer.output), "", "accumulator kept")
    elif layer.quantized and layer.output not in ("", "float32"):
        state = (shown(layer.output), "", "as its input")
    elif layer.op in ("quant", "dequant"):
        state = (shown(layer.output), "", "")
    else:
        state = (shown(layer.output), "", "qconfig = None")
    return (layer.address, layer.type, given, *state)


def _inputs(layer: Layer) -> Iterator[str]:
    for place, dtype in enumerate(layer.inputs):
        grid = layer.pre[place] if place < len(layer.pre) else None
        yield shown(dtype) + (f"->{shown(str(grid.dtype))}" if grid is not None else "")


def _axis(quantizer: FakeQuantize) -> str:
    return "-1" if quantizer.axis is None else str(quantizer.axis)


def _shared(checked: Checked, address: str) -> str:
    return f"{address}(shared)" if checked.calls.get(address, 1) > 1 else address
