"""checkpoint: trained weights from a file, read without executing anything in it."""

import warnings
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from qflow.diagnostics import Diagnostic, QflowError, Span, fail

# What a file that is no pickle of plain tensors makes torch raise, besides refusing it.
_UNREADABLE = (UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, AttributeError)


def load_into(model: nn.Module, path: Path, shown: str, at: Span | None) -> None:
    """Give `model` the weights of a file, which must have exactly its keys and shapes.

    Raises QflowError: QF302 no such file, QF311 not plain weights, QF310 other keys or shapes.
    """
    weights = read(path, shown, at)
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


def read(path: Path, shown: str, at: Span | None) -> dict[str, Tensor]:
    """The tensors of a checkpoint by key, on the CPU; a `state_dict` entry is looked into."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise missing(shown, error, at) from error
    if path.suffix == ".safetensors":
        try:
            return load_safetensors(raw)
        except SafetensorError as error:
            raise _not_plain(shown, at, f"it is no safetensors file: {error}") from error
    return _plain(_unpickle(path, shown, at), shown, at)


def missing(shown: str, error: OSError, at: Span | None) -> QflowError:
    """The QF302 for a checkpoint that cannot be read."""
    return fail(
        Diagnostic(
            "QF302",
            f"the checkpoint `{shown}` cannot be read: {error.strerror or error}",
            at=at,
            help="paths are relative to the folder of the .qf file",
        )
    )


def _unpickle(path: Path, shown: str, at: Span | None) -> Any:
    try:
        with warnings.catch_warnings():
            # it warns of pickles it may not understand; it raises when it does not
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        # torch's own message suggests to execute the file; ours must not
        reason = next(
            (line for line in str(error).splitlines() if "GLOBAL" in line or "global" in line),
            "it is no file of tensors that `torch.save` wrote",
        ).strip()
        raise _not_plain(shown, at, reason) from error


def _plain(loaded: Any, shown: str, at: Span | None) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping):
        raise _not_plain(shown, at, f"it holds a {type(loaded).__name__}, not tensors by name")
    strange = [str(k) for k, v in loaded.items() if not isinstance(v, Tensor)]
    if strange:
        raise _not_plain(shown, at, f"these entries are no tensors: {', '.join(strange)}")
    return {str(k): v for k, v in loaded.items()}


def _not_plain(shown: str, at: Span | None, reason: str) -> Exception:
    return fail(
        Diagnostic(
            "QF311",
            f"`{shown}` is not plain weights",
            at=at,
            notes=(reason,),
            help="where you trust the file, load it once and write its weights: "
            "`safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')`",
        )
    )


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
