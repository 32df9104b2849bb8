"""checkpoint: trained weights from a file, read without executing anything in it."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.quantization.state_file import read_state


def load_into(model: nn.Module, path: Path, shown: str, at: Span | None) -> None:
    """Give `model` the weights of a file, which must have exactly its keys and shapes.

    Raises QflowError: QF302 no such file, QF311 not plain weights, QF310 other keys or shapes.
    """
    weights = read_state(path, shown, at)
    notes = tuple(_differences(model.state_dict(), weights))
    if notes:
        raise fail(
            Diagnostic(
                "QF310",
                f"the keys of `{shown}` do not fit the model",
                at=at,
                notes=notes,
                help=_help(weights),
            )
        )
    model.load_state_dict(weights)


def _differences(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> list[str]:
    """A sentence per module: what the file lacks, has too much, or has in another shape."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key in sorted(ours.keys() | theirs.keys()):
        module, _, name = key.rpartition(".")
        if key not in theirs:
            found[module]["missing"].append(f"`{name}`")
        elif key not in ours:
            found[module]["unexpected"].append(f"`{name}`")
        elif ours[key].shape != theirs[key].shape:
            shapes = f"{list(theirs[key].shape)} in the file, {list(ours[key].shape)} in the model"
            found[module]["of another shape"].append(f"`{name}` ({shapes})")
    return [
        f"{module or 'the model itself'}: "
        + "; ".join(f"{what} {', '.join(keys)}" for what, keys in parts.items())
        for module, parts in found.items()
    ]


def _help(weights: Mapping[str, Tensor]) -> str:
    if weights and all(key.startswith("module.") for key in weights):
        return "every key begins with `module.`: save `model.module.state_dict()` instead"
    return "save the `state_dict()` of this very model, or correct `entry` and `args`"
