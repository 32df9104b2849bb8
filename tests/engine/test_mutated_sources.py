"""A mutated file of data is read or refused with its name; a pickle in it does not run."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from qflow.diagnostics import QflowError
from qflow.engine import data
from qflow.plan.plan import DataSpec, PortPlan
from qflow.plan.sources import Preprocess
from tests.frontends.mutating import mutated
from tests.frontends.test_hostile import Bomb

COUNT = int(os.environ.get("QFLOW_MUTATIONS", "80"))
PORTS = (PortPlan("image", "float32", ("N", 3, 6, 6)),)


def written(folder: Path, kind: str) -> tuple[Path, str]:
    """A good file, and the source that names it."""
    arrays = {"image": np.ones((4, 3, 6, 6), np.float32), "target": np.arange(4)}
    path = folder / f"data.{kind}"
    if kind == "npz":
        np.savez(path, **arrays)
    elif kind == "safetensors":
        save_file(arrays, path)
    else:
        path = folder / "photos" / f"a.{kind}"
        path.parent.mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path, "photos"
    return path, path.name


@pytest.mark.parametrize("kind", ["npz", "safetensors", "png", "jpg"])
def test_a_mutated_file_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    path, source = written(tmp_path, kind)
    how = Preprocess(resize=(6, 6)) if source == "photos" else None
    spec = DataSpec("d", "", (), None, 4, 0, None, source=source, preprocess=how)
    data.load(spec, PORTS, tmp_path).check(lambda n: None)
    raw = path.read_bytes()
    refused = 0
    for seed in range(COUNT):
        path.write_bytes(mutated(raw, seed))
        try:
            data.load(spec, PORTS, tmp_path).check(lambda n: None)
        except QflowError as error:
            found = error.diagnostics
        else:
            continue
        assert len(found) == 1
        assert found[0].code in ("QF372", "QF373", "QF403", "QF313", "QF404"), (seed, found)
        assert "\n" not in found[0].message
        assert path.name in found[0].message or found[0].code != "QF372"
        refused += 1
    assert refused > COUNT / 4


def test_a_pickle_in_an_npz_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    payload = header.ljust(127) + b"\n" + pickle.dumps([Bomb(marker)])
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as made:
        made.writestr("image.npy", payload)
    spec = DataSpec("d", "", (), None, 4, 0, None, source="a.npz")
    with pytest.raises(QflowError, match="Python objects"):
        data.load(spec, PORTS, tmp_path)
    assert not marker.exists()
