"""state_file: tensors by name from a file, read without executing anything in it."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from qflow.diagnostics import Diagnostic, QflowError, Span, fail

# What a file that is no pickle of plain tensors makes torch raise, besides refusing it.
_UNREADABLE = (UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, AttributeError)


def read_state(path: Path, shown: str | None = None, at: Span | None = None) -> dict[str, Tensor]:
    """The tensors of a checkpoint by key, on the CPU; a `state_dict` entry is looked into.

    Versions that torch notes beside the tensors are kept as `_metadata`. Raises QflowError: QF302
    for a file that cannot be read, QF311 for one that is not plain weights.
    """
    name = shown or path.as_posix()
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise missing(name, error, at) from error
    if path.suffix == ".safetensors":
        try:
            return load_safetensors(raw)
        except SafetensorError as error:
            raise _not_plain(name, at, f"it is no safetensors file: {error}") from error
    return _plain(_unpickle(path, name, at), name, at)


def missing(shown: str, error: OSError, at: Span | None) -> QflowError:
    """The QF302 for a checkpoint that cannot be read."""
    return fail(
        Diagnostic(
            "QF302",
            f"the checkpoint `{shown}` cannot be read: {error.strerror or error}",
            at=at,
            help="correct the path; in a .qf file it is relative to the folder of that file",
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
        )
        reason = reason.partition(" Please use")[0].strip()
        raise _not_plain(shown, at, reason) from error


def _plain(loaded: Any, shown: str, at: Span | None) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping):
        raise _not_plain(shown, at, f"it holds a {type(loaded).__name__}, not tensors by name")
    strange = [str(k) for k, v in loaded.items() if not _dense(v)]
    if strange:
        raise _not_plain(shown, at, f"these entries are no dense tensors: {', '.join(strange)}")
    found = OrderedDict((str(k), v) for k, v in loaded.items())
    if isinstance(metadata := getattr(loaded, "_metadata", None), Mapping):
        found._metadata = metadata  # type: ignore[attr-defined]
    return found


def _dense(value: object) -> bool:
    """Sparse and quantized tensors, and those without data, are no weights of a module."""
    if not isinstance(value, Tensor) or value.is_quantized:
        return False
    return value.layout == torch.strided and not value.is_meta


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
