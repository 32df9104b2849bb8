"""session: the exported model in LiteRT, speaking the model's own names, layout and floats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.export._onnx.ports import Port
from qflow.export._sealed import is_sealed
from qflow.export._tflite.file import FACTS
from qflow.export._tflite.packages import need

RESOLVERS = {
    "tflite.reference": "BUILTIN_REF",
    "tflite.builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "xnnpack": "AUTO",
}
"""By the profile that states their arithmetic, as LiteRT calls them."""
LARGEST = 1 << 31
"""Bytes of a file: offsets in it have 32 bits."""


@dataclass
class Runnable:
    """The model of one file. The interpreter is made when first needed and kept."""

    content: bytes = field(repr=False)
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    batch: int
    profile: str
    """The resolver's arithmetic."""
    _interpreters: dict[bool, Any] = field(default_factory=dict, repr=False)

    def run(
        self, inputs: Mapping[str, np.ndarray], *, keep: tuple[str, ...] = ()
    ) -> dict[str, np.ndarray]:
        """Outputs by name, float32 in the model's own layout, and tensors of `keep` by name.

        `inputs`: by input name, float32 NCHW, of any number of samples: they are run in batches of
        the file's size, the last one filled up. XNNPACK shows no tensors inside of it.
        """
        given = {p.name: p.into_file(np.asarray(inputs[p.name])) for p in self.inputs}
        samples = len(next(iter(given.values())))
        parts = [self._one(given, i, keep) for i in range(0, samples, self.batch)]
        found = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
        ports = {p.name: p for p in self.outputs}
        return {
            k: ports[k].from_file(v[: _kept(v, samples, self.batch)]) if k in ports else v
            for k, v in found.items()
        }

    def _one(
        self, given: Mapping[str, np.ndarray], start: int, keep: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        runner = self._interpreter(bool(keep))
        places = {d["name"]: d["index"] for d in runner.get_tensor_details()}
        for port, detail in zip(self.inputs, runner.get_input_details(), strict=True):
            runner.set_tensor(detail["index"], _filled(given[port.name], start, self.batch))
        runner.invoke()
        results = zip(self.outputs, runner.get_output_details(), strict=True)
        found = {p.name: runner.get_tensor(d["index"]) for p, d in results}
        return found | {k: runner.get_tensor(places[k]) for k in keep}

    def _interpreter(self, keeps: bool) -> Any:
        if keeps not in self._interpreters:
            runtime = need("ai_edge_litert.interpreter")
            made = runtime.Interpreter(
                model_content=self.content,
                experimental_op_resolver_type=getattr(
                    runtime.OpResolverType, RESOLVERS[self.profile]
                ),
                experimental_preserve_all_tensors=keeps,
                num_threads=1,
            )
            made.allocate_tensors()
            self._interpreters[keeps] = made
        return self._interpreters[keeps]


def read(path: Path) -> Runnable:
    """The model of a file that this target wrote.

    Its digest is checked before anything reads it. Raises QflowError: QF405 without LiteRT, QF302
    when there is no file, QF318 when it is no file that qflow wrote, or a changed one.
    """
    need("ai_edge_litert.interpreter")
    if not path.is_file():
        raise fail(Diagnostic("QF302", f"`{path}` is missing", help="run the export again"))
    if path.stat().st_size >= LARGEST:
        raise _damaged(path, "it is larger than such a file can be")
    content = path.read_bytes()
    if not is_sealed(content):
        raise _damaged(path, "its digest is not that of its bytes")
    facts = _facts(content)
    if facts is None or facts["profile"] not in RESOLVERS:
        raise _damaged(path, "it says nothing of its ports")
    inputs, outputs = (tuple(map(Port.of_record, facts["ports"][k])) for k in ("inputs", "outputs"))
    return Runnable(content, inputs, outputs, int(facts["batch"]), facts["profile"])


def _facts(content: bytes) -> dict[str, Any] | None:
    """The metadata, of bytes that are known to be whole."""
    schema = need("ai_edge_litert.schema_py_generated")
    model = schema.Model.GetRootAs(content, 0)
    for i in range(model.MetadataLength()):
        entry = model.Metadata(i)
        if entry.Name() == FACTS.encode():
            held = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
            found: dict[str, Any] = json.loads(held)
            return found
    return None


def _filled(values: np.ndarray, start: int, batch: int) -> np.ndarray:
    """A batch from `start` on, its last sample repeated where there are no more."""
    part = values[start : start + batch]
    if len(part) < batch:
        part = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
    return np.ascontiguousarray(part)


def _kept(values: np.ndarray, samples: int, batch: int) -> int:
    """How many rows belong to samples that were given."""
    return len(values) * samples // (-(-samples // batch) * batch)


def _damaged(path: Path, why: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF318",
            f"`{path}` is not a TFLite file that qflow wrote: {why}",
            help="run the export again",
        )
    )
