"""sample: one element of a data set as arrays, checked against what the model declares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.plan.plan import PortPlan

_KINDS = "biuf"
"""NumPy kinds that hold numbers: bool, int, uint, float."""


@dataclass(frozen=True)
class Sample:
    inputs: Mapping[str, np.ndarray]
    """By input name, without the batch dimension."""
    target: np.ndarray | None


@dataclass(frozen=True)
class Reader:
    """Turns what a loader gave into samples. Every error names the data block and the index."""

    data: str
    ports: tuple[PortPlan, ...]
    at: Span | None
    source: str = ""
    """The file or folder they lie in; empty where a loader gives them."""

    def read(self, raw: Any, index: int) -> Sample:
        """Raises QflowError: QF315 for a form nobody understands, QF313 for another shape or dtype
        than declared, QF403 for an input that is not finite.
        """
        inputs, target = self._split(raw, index)
        named = self._named(inputs, index)
        arrays = {p.name: self._input(p, named[p.name], index) for p in self.ports}
        if target is None:
            return Sample(arrays, None)
        return Sample(arrays, self._array(target, f"the target of sample {index}"))

    def _split(self, raw: Any, index: int) -> tuple[Any, Any]:
        if not isinstance(raw, (tuple, list)):
            return raw, None
        if len(raw) not in (1, 2):
            raise self._form(
                f"sample {index} of data `{self.data}` has {len(raw)} parts, not inputs and target"
            )
        return raw[0], raw[1] if len(raw) == 2 else None

    def _named(self, inputs: Any, index: int) -> Mapping[str, Any]:
        names = [p.name for p in self.ports]
        if not isinstance(inputs, Mapping):
            if len(names) == 1:
                return {names[0]: inputs}
            raise self._form(
                f"the model has {len(names)} inputs, and sample {index} of data `{self.data}` "
                "does not say which is which",
                f"return a dict with the keys {', '.join(names)}",
            )
        if set(inputs) != set(names):
            raise self._form(
                f"sample {index} of data `{self.data}` has the inputs "
                f"{', '.join(f'`{n}`' for n in sorted(map(str, inputs)))}; the model has "
                f"{', '.join(f'`{n}`' for n in names)}"
            )
        return inputs

    def _input(self, port: PortPlan, raw: Any, index: int) -> np.ndarray:
        what = f"input `{port.name}` of sample {index}"
        array = self._array(raw, what)
        dims = port.dims[1:]
        fits = len(dims) == array.ndim and all(
            isinstance(d, str) or d == n for d, n in zip(dims, array.shape, strict=True)
        )
        declared = f"{port.dtype}[{', '.join(map(str, dims))}]"
        if not fits or array.dtype.name != port.dtype:
            raise fail(
                Diagnostic(
                    "QF313",
                    f"{what} in data `{self.data}` is {array.dtype.name}{list(array.shape)}; the "
                    f"model declares {declared} behind the batch",
                    at=self.at,
                    help=self._help(port, fits),
                )
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise fail(
                Diagnostic(
                    "QF403",
                    f"{what} in data `{self.data}` holds a value that is not finite",
                    at=self.at,
                    help=f"repair or leave out this sample in {self._where}",
                )
            )
        return array

    @property
    def _where(self) -> str:
        return f"`{self.source}`" if self.source else "the loader"

    def _help(self, port: PortPlan, fits: bool) -> str:
        if fits:
            verb = "write" if self.source else "return"
            return f"{verb} {port.dtype} {'to' if self.source else 'from'} {self._where}"
        return f"correct {self._where}, or the shape of `{port.name}` in the model block"

    def _array(self, raw: Any, what: str) -> np.ndarray:
        if isinstance(raw, torch.Tensor):
            raw = self._of_tensor(raw, what)
        numbers = isinstance(raw, (np.ndarray, np.generic, bool, int, float))
        array = np.asarray(raw) if numbers else None
        if array is None or array.dtype.kind not in _KINDS:
            raise self._form(
                f"{what} in data `{self.data}` is a {type(raw).__name__}, not a tensor or an array"
            )
        return array

    def _of_tensor(self, tensor: torch.Tensor, what: str) -> np.ndarray:
        try:
            return tensor.detach().cpu().numpy()
        except (TypeError, RuntimeError, NotImplementedError) as error:
            # bfloat16, sparse, quantized, without data: NumPy has no such array
            raise self._form(
                f"{what} in data `{self.data}` cannot become an array: it is {tensor.dtype}, "
                f"{tensor.layout} on `{tensor.device}`",
                "return a dense tensor of float32, or of whole numbers for a target",
            ) from error

    def _form(self, message: str, help_: str = "") -> Exception:
        expected = "a sample is (inputs, target) or inputs alone; inputs are a tensor, an array, or"
        return fail(
            Diagnostic(
                "QF315", message, at=self.at, help=help_ or f"{expected} a dict by input name"
            )
        )
