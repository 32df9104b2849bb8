"""Data without Python: arrays by name, images with their preprocessing, records of a database."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save, save_file

from qflow.diagnostics import QflowError
from qflow.engine import data
from qflow.functional.colour import rgb2yuv
from qflow.plan.plan import DataSpec, PortPlan
from qflow.plan.sources import Preprocess

IMAGE = PortPlan("image", "float32", ("N", 3, 4, 6))


def load(
    folder: Path, source: str, *ports: PortPlan, how: Preprocess | None = None, **keys: str
) -> data.DataSet:
    spec = DataSpec(
        "d", "", (), None, 2, 0, None, source=source, keys=tuple(keys.items()), preprocess=how
    )
    return data.load(spec, ports or (IMAGE,), folder)


def refused(code: str, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(QflowError) as caught:
        load(*args, **kwargs).check(lambda n: None)
    assert [d.code for d in caught.value.diagnostics] == [code]
    return str(caught.value)


def values(count: int = 3) -> np.ndarray:
    return np.arange(count * 72, dtype=np.float32).reshape(count, 3, 4, 6)


def test_arrays_of_both_formats_give_the_same(tmp_path: Path) -> None:
    arrays = {"image": values(), "label": np.array([2, 0, 1])}
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez_compressed(tmp_path / "b.npz", **{**arrays, "image": np.asfortranarray(values())})
    save_file(arrays, tmp_path / "c.safetensors")
    found = [load(tmp_path, name) for name in ("a.npz", "b.npz", "c.safetensors")]
    assert len({f.digest for f in found}) == 1
    first = next(found[0].batches())
    assert np.array_equal(first.inputs["image"], values()[:2])
    assert first.target is not None
    assert first.target.tolist() == [2, 0]


def test_keys_say_what_arrays_are_called(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=values(), ids=np.array([[1], [2], [3]]), y=np.ones(3))
    ids = PortPlan("tokens", "int64", ("N", 1))
    found = load(tmp_path, "a.npz", IMAGE, ids, image="x", tokens="ids", target="y")
    assert found.has_targets
    assert next(found.batches()).inputs["tokens"].tolist() == [[1], [2]]
    assert "`ids`" in refused("QF373", tmp_path, "a.npz", IMAGE, ids, image="x", tokens="idz")
    assert "no input" in refused("QF373", tmp_path, "a.npz", image="x", imege="x")


def test_arrays_that_do_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=values(3), target=np.zeros(2))
    assert "`target` 2" in refused("QF373", tmp_path, "a.npz")
    np.savez(tmp_path / "b.npz", image=values().astype(np.float64))
    assert "float64" in refused("QF313", tmp_path, "b.npz")
    np.savez(tmp_path / "c.npz", image=np.array([{}], dtype=object))
    assert "objects" in refused("QF372", tmp_path, "c.npz")
    np.savez(tmp_path / "d.npz", image=values(0))
    refused("QF404", tmp_path, "d.npz")
    (tmp_path / "e.csv").write_text("1,2")
    refused("QF371", tmp_path, "e.csv")
    refused("QF302", tmp_path, "f.npz")
    refused("QF370", tmp_path, "a.npz", how=Preprocess())


def photo(path: Path, height: int = 4, width: int = 6, seed: int = 0) -> np.ndarray:
    """Writes a picture; its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def test_folders_are_classes_in_their_order(tmp_path: Path) -> None:
    for name in ("10", "9", "2"):
        for file in ("b.png", "a.png"):
            photo(tmp_path / "photos" / name / file)
    (tmp_path / "photos" / "9" / ".hidden.png").write_text("")
    (tmp_path / "photos" / "readme.txt").write_text("")
    found = load(tmp_path, "photos/")
    assert [
        int(t) for b in found.batches() for t in (b.target if b.target is not None else [])
    ] == [
        *(0, 0),
        *(1, 1),
        *(2, 2),
    ]
    photo(tmp_path / "photos" / "c.png")
    refused("QF371", tmp_path, "photos")


@pytest.mark.parametrize("form", ["rgb", "bgr", "gray", "yuv", "nv12"])
def test_what_the_channels_hold(tmp_path: Path, form: str) -> None:
    import torch

    pixels = photo(tmp_path / "p" / "a.png")
    rgb = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float()
    yuv = rgb2yuv(rgb, "studio")
    wanted = {"rgb": rgb, "bgr": rgb.flip(0), "gray": rgb2yuv(rgb, "full")[:1], "yuv": yuv}
    if form == "nv12":
        fours = yuv[1:].reshape(2, 2, 2, 3, 2).sum((2, 4))
        shared = ((fours + 2) / 4).floor().repeat_interleave(2, 1).repeat_interleave(2, 2)
        wanted["nv12"] = torch.cat([yuv[:1], shared])
    how = Preprocess(format=form, swing="studio", mean=(10.0,), scale=(0.5,))
    port = PortPlan("image", "float32", ("N", 1 if form == "gray" else 3, 4, 6))
    found = next(load(tmp_path, "p", port, how=how).batches()).inputs["image"][0]
    assert np.array_equal(found, ((wanted[form] - 10) * 0.5).numpy())


def test_resize_crop_and_layout(tmp_path: Path) -> None:
    pixels = photo(tmp_path / "p" / "a.png", 8, 20)
    how = Preprocess(resize=(4,), filter="nearest", crop=(4, 6), layout="hwc")
    port = PortPlan("image", "uint8", ("N", 4, 6, 3))
    found = next(load(tmp_path, "p", port, how=how).batches()).inputs["image"][0]
    # 8 x 20 becomes 4 x 10, of which the middle six columns stay
    assert np.array_equal(found, pixels[1::2, 1::2][:, 2:8])
    text = refused("QF374", tmp_path, "p", how=Preprocess(resize=(4,)))
    assert "p/a.png" in text
    refused("QF374", tmp_path, "p", how=Preprocess(crop=(9, 9)))
    refused("QF374", tmp_path, "p", how=Preprocess(resize=(5, 5), format="nv12"))


def test_images_that_cannot_be_read(tmp_path: Path) -> None:
    photo(tmp_path / "p" / "a.png")
    (tmp_path / "p" / "b.jpg").write_bytes(b"\xff\xd8\xff no image")
    assert "p/b.jpg" in refused("QF372", tmp_path, "p")
    (tmp_path / "p" / "b.jpg").unlink()
    (tmp_path / "outside.png").write_bytes((tmp_path / "p" / "a.png").read_bytes())
    (tmp_path / "p" / "c.png").symlink_to(tmp_path / "outside.png")
    assert "link" in refused("QF372", tmp_path, "p")
    (tmp_path / "empty").mkdir()
    refused("QF371", tmp_path, "empty")
    two = (IMAGE, PortPlan("other", "float32", ("N", 1)))
    refused("QF373", tmp_path, "p", *two)


def test_records_of_a_database(tmp_path: Path) -> None:
    import lmdb

    pixels = photo(tmp_path / "a.png")
    planes = pixels.transpose(2, 0, 1)
    # channels, height, width, data, label: as Caffe writes them
    datum = bytes([8, 3, 16, 4, 24, 6, 34, 72]) + planes.tobytes() + bytes([40, 7])
    with lmdb.open(str(tmp_path / "d.lmdb"), subdir=False) as made, made.begin(write=True) as write:
        write.put(b"0", (tmp_path / "a.png").read_bytes())
        write.put(
            b"1", save({"image": planes.astype(np.float32, order="C"), "target": np.array(5)})
        )
        write.put(b"2", datum)
    found = load(tmp_path, "d.lmdb")
    assert len(found) == 3
    samples = [found._sample(i) for i in range(3)]
    assert all(np.array_equal(s.inputs["image"], planes) for s in samples)
    assert [s.target is None or int(s.target) for s in samples] == [True, 5, 7]
    found.source.file.close()
    (tmp_path / "e.lmdb").write_bytes(b"no database")
    refused("QF372", tmp_path, "e.lmdb")
