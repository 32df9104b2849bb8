"""check_tables: single sections of the check, under the names the field's profiler has for them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from torch import nn

from qflow.atomic import write
from qflow.plan import fusion
from qflow.quantization.check_text import Checked, qconfig_text
from qflow.quantization.example_inputs import arguments
from qflow.quantization.facts import facts_of
from qflow.quantization.layers import Layer, layers_of, with_sources
from qflow.quantization.table import table
from qflow.quantization.watching import call_counts, watch
from qflow.tracing import trace_call

QCONFIG_FILE = "qconfig_info.txt"


def get_module_called_count(
    model: nn.Module,
    example_inputs: Any,
    check_leaf_module: Callable[[nn.Module], bool] | None = None,
    print_tabulate: bool = True,
) -> dict[str, int]:
    """How often each module runs in one forward; 0 for those that do not run.

    `check_leaf_module` says which modules count; without it those without children.
    """
    counts = call_counts(watch(model, example_inputs, check_leaf_module))
    if print_tabulate:
        print(table(("name", "called times"), [(a, str(n)) for a, n in counts.items()]), end="")
    return counts


def check_unfused_operations(
    model: nn.Module, example_inputs: Any, print_tabulate: bool = True
) -> list[list[str]]:
    """Groups of modules that look like a fusion and are not one, of a float or a prepared model.

    Of a float model these are all that prepare would fuse, and those it would leave; a module that
    runs more than once is marked `(shared)`.
    """
    groups, calls, types = _unfused(model, example_inputs)
    shown = [[f"{a}(shared)" if calls.get(a, 1) > 1 else a for a in g] for g in groups]
    if print_tabulate:
        for names, group in zip(shown, groups, strict=True):
            rows = [(n, types.get(a, "")) for n, a in zip(names, group, strict=True)]
            print(table(("name", "type"), rows))
    return shown


def _unfused(
    model: nn.Module, example_inputs: Any
) -> tuple[list[tuple[str, ...]], dict[str, int], dict[str, str]]:
    facts = facts_of(model)
    if facts is not None:
        inventory, groups = facts.inventory, [u.members for u in facts.unfused]
    else:
        inventory = trace_call(model, *arguments(example_inputs)).inventory
        found = fusion.find(inventory, ("int8",), lambda _: "int8")
        left = fusion.unfused(inventory, found, ("int8",), lambda _: "int8")
        groups = [*(f.members for f in found), *(u.members for u in left)]
    calls = {m.address: m.calls for m in inventory.modules}
    return groups, calls, {m.address: m.type for m in inventory.modules}


def check_qconfig(
    model: nn.Module,
    example_inputs: Any = None,
    prefixes: Collection[str] = (),
    types: Collection[type[nn.Module]] = (),
    custom_check_func: Callable[[nn.Module], bool] | None = None,
    out_dir: str | Path | None = None,
) -> str:
    """The tables of output and weight qconfigs and what to look at, as text.

    `prefixes` and `types` choose modules, all without them; a module for which
    `custom_check_func` is true is listed first. `out_dir` is where `qconfig_info.txt` is written.
    """
    layers = layers_of(model)
    if example_inputs is not None:
        layers = with_sources(layers, watch(model, example_inputs).inventory)
    chosen = tuple(x for x in layers if _chosen(model, x, tuple(prefixes), tuple(types)))
    text = qconfig_text(Checked(chosen, (), {}, {}))
    if custom_check_func is not None:
        rows = [(x.address, x.type) for x in chosen if custom_check_func(_module(model, x))]
        text = (
            "Modules your check names:\n\n"
            + table(("Module Name", "Module Type"), rows)
            + "\n"
            + text
        )
    if out_dir is not None:
        write(Path(out_dir) / QCONFIG_FILE, text)
    return text


def _chosen(
    model: nn.Module, layer: Layer, prefixes: tuple[str, ...], types: tuple[type[nn.Module], ...]
) -> bool:
    if not prefixes and not types:
        return True
    return layer.address.startswith(prefixes) or isinstance(_module(model, layer), types)


def _module(model: nn.Module, layer: Layer) -> nn.Module:
    return model.get_submodule(layer.address)
