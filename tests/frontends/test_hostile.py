"""A mutated file of any format is read or refused with one clear error, and runs no code of its own.

QFLOW_MUTATIONS says how many of each; a thousand take minutes.
"""

import json
import os
import pickle
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import torch

from qflow.diagnostics import QflowError
from qflow.frontends import parity, reading
from tests.frontends.conftest import Files
from tests.frontends.mutating import mutated

COUNT = int(os.environ.get("QFLOW_MUTATIONS", "25"))
ALLOWED = {"QF362", "QF363", "QF364", "QF365", "QF366", "QF367"}


@pytest.mark.parametrize("suffix", ["ts", "pt2", "onnx"])
def test_a_mutated_model_is_read_or_refused(files: Files, tmp_path: Path, suffix: str) -> None:
    raw = files[suffix].read_bytes()
    path = tmp_path / f"net.{suffix}"
    found: Counter[str] = Counter()
    for seed in range(COUNT):
        path.write_bytes(mutated(raw, seed))
        try:
            source = reading.read(path, path.name)
            inputs = {p.name: files.image for p in source.inputs}
            names = [str(i) for i, _ in enumerate(source.outputs)]
            parity.measure(source, names, [inputs], path.name)
        except QflowError as error:
            refused = error.diagnostics
        else:
            continue
        assert len(refused) == 1
        assert refused[0].code in ALLOWED, (seed, refused)
        assert refused[0].help
        assert "\n" not in refused[0].message
        found[refused[0].code] += 1
    assert found["QF362"] > COUNT / 2


class Bomb:
    """Its pickle writes a file when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return (Path.write_text, (self.marker, "ran"))


def replaced(source: Path, made: Path, members: dict[str, bytes]) -> Path:
    """A copy of an archive with other members; those that it has not are added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(made, "w") as new:
        folder = old.namelist()[0].partition("/")[0]
        names = [n for n in old.namelist() if n.partition("/")[2] not in members]
        for name in names:
            new.writestr(name, old.read(name))
        for name, data in members.items():
            new.writestr(f"{folder}/{name}", data)
    return made


@pytest.mark.parametrize("member", ["data.pkl", "constants.pkl"])
def test_a_pickle_in_torchscript_does_not_run(files: Files, tmp_path: Path, member: str) -> None:
    marker = tmp_path / "marker"
    for protocol in (2, 4):
        payload = pickle.dumps(Bomb(marker), protocol)
        path = replaced(files["ts"], tmp_path / "bomb.ts", {member: payload})
        with pytest.raises(QflowError, match="names"):
            reading.read(path, "bomb.ts")
    assert not marker.exists()


def test_pickles_that_nothing_needs_are_not_read(files: Files, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    payload = pickle.dumps(Bomb(marker), 2)
    name = "code/__torch__/tests/frontends/nets.py.debug_pkl"
    path = replaced(files["ts"], tmp_path / "a.ts", {name: payload, "traced_inputs.pkl": payload})
    reading.read(path, "a.ts")
    path = replaced(files["pt2"], tmp_path / "a.pt2", {"data/sample_inputs/model.pt": payload})
    reading.read(path, "a.pt2")
    assert not marker.exists()


def test_a_pickled_weight_in_pt2_does_not_run(files: Files, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    torch.save(Bomb(marker), tmp_path / "bomb")
    config = "data/weights/model_weights_config.json"
    with zipfile.ZipFile(files["pt2"]) as archive:
        folder = archive.namelist()[0].partition("/")[0]
        listed = json.loads(archive.read(f"{folder}/{config}"))
    entry = listed["config"]["head.weight"]
    entry["use_pickle"] = True
    members = {
        config: json.dumps(listed).encode(),
        f"data/weights/{entry['path_name']}": (tmp_path / "bomb").read_bytes(),
    }
    path = replaced(files["pt2"], tmp_path / "a.pt2", members)
    with pytest.raises(QflowError, match="not plain"):
        reading.read(path, "a.pt2")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("torch.save(x, '/tmp/x')", "QF364"),
        ("torch.from_file('/tmp/x', True, 4)", "QF364"),
        ("ops.aten.save(x, '/tmp/x')", "QF364"),
        ("(x).save('/tmp/x')", "QF363"),
        ("print(x)", "QF363"),
        ("(torch.relu)(x) if True else x", "QF365"),
    ],
)
def test_code_that_does_more_than_compute(
    files: Files, tmp_path: Path, line: str, code: str
) -> None:
    member = "code/__torch__/torch/nn/modules/pooling.py"
    text = (
        f"class MaxPool2d(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return {line}\n"
    )
    path = replaced(files["ts"], tmp_path / "a.ts", {member: text.encode()})
    with pytest.raises(QflowError, match=code):
        reading.read(path, "a.ts")


def test_code_that_runs_while_it_is_loaded(files: Files, tmp_path: Path) -> None:
    text = b"class A(Module):\n  def __setstate__(self, x: int) -> None:\n    return None\n"
    member = "code/__torch__/torch/nn/modules/pooling.py"
    path = replaced(files["ts"], tmp_path / "a.ts", {member: text})
    with pytest.raises(QflowError, match=r"QF363.*while it is loaded"):
        reading.read(path, "a.ts")


@pytest.mark.parametrize("name", ["../out.py", "/etc/x", "a/../../x", "code//x"])
def test_members_outside_of_the_archive(files: Files, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.pt2"
    path.write_bytes(files["pt2"].read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        folder = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{folder}/{name}", b"x")
    with pytest.raises(QflowError, match="names a member"):
        reading.read(path, "a.pt2")
