"""Files that native runtimes load: a changed one is refused before they see it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.export._model.finished import Finished
from qflow.export._sealed import is_sealed
from qflow.export.onnx import Onnx
from qflow.export.onnx_integer import OnnxInteger
from qflow.export.tflite import Tflite
from tests.export.graphs import Net, export
from tests.export.lowered import lowered

MUTATIONS = 1_000
READ = 25
"""Every so manieth is read as a file, too."""
FORMATS = {
    "onnx": (Onnx, "onnx"),
    "onnx_integer": (OnnxInteger, "onnxruntime"),
    "tflite": (Tflite, "ai_edge_litert"),
}


@pytest.fixture(params=FORMATS, ids=str)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple:
    target, package = FORMATS[request.param]
    pytest.importorskip(package)
    net = Net(shape=(2, 4, 4))
    last = net.conv("conv", ("quant",), 0.05, (3, 2, 3, 3), activation="relu")
    graph = net.lowered(last) if request.param == "onnx" else lowered(net, last)
    path = tmp_path / f"net{target.suffix}"
    target().write(Finished(graph), export(), path)
    return target(), path


def mutated(content: bytes, seed: int) -> bytes:
    """A byte changed, some taken out or put in, or the end cut off."""
    chance, changed = random.Random(seed), bytearray(content)
    place = chance.randrange(len(content))
    kind = seed % 4
    if kind == 0:
        changed[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del changed[place : place + chance.randrange(1, 40)]
    elif kind == 2:
        changed[place:place] = chance.randbytes(chance.randrange(1, 40))
    else:
        del changed[place:]
    return bytes(changed)


def test_a_mutated_file_is_refused(written: tuple) -> None:
    target, path = written
    content = path.read_bytes()
    assert is_sealed(content)
    for seed in range(MUTATIONS):
        changed = mutated(content, seed)
        assert not is_sealed(changed)
        if seed % READ:
            continue
        path.write_bytes(changed)
        with pytest.raises(QflowError) as error:
            target.read(path)
        assert error.value.diagnostics[0].code == "QF318"


def test_what_is_missing_or_of_another_kind_is_said(written: tuple, tmp_path: Path) -> None:
    target, path = written
    with pytest.raises(QflowError, match="is missing"):
        target.read(tmp_path / "none")
    path.write_bytes(b"")
    with pytest.raises(QflowError, match="wrote"):
        target.read(path)
