"""The example: its split is honest, its checkpoint fits its network and is as good as it says."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from safetensors.torch import load_file  # noqa: E402

PIPELINES = Path(__file__).parents[2] / "pipelines"
CHECKPOINT = PIPELINES / "digits" / "digits.safetensors"


@pytest.fixture(scope="module")
def data() -> ModuleType:
    return _import("digits.data")


@pytest.fixture(scope="module")
def train() -> ModuleType:
    return _import("digits.train")


@pytest.fixture(scope="module")
def network(train: ModuleType) -> torch.nn.Module:
    model = train.digits_net()
    model.load_state_dict(load_file(CHECKPOINT))
    return model.eval()


def _import(name: str) -> ModuleType:
    sys.path.insert(0, str(PIPELINES))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(PIPELINES))


def test_every_image_is_in_one_split(data: ModuleType) -> None:
    from sklearn.datasets import load_digits

    kept, held_out = data.training(), data.validation()
    assert (len(kept), len(held_out)) == (1437, 360)
    parts = torch.cat([kept.images, held_out.images]).flatten(1)
    whole = torch.from_numpy(load_digits().images).float().flatten(1) / 8 - 1
    assert sorted(map(tuple, parts.tolist())) == sorted(map(tuple, whole.tolist()))


def test_every_class_is_held_out_alike(data: ModuleType) -> None:
    counts = data.validation().labels.bincount(minlength=10)
    assert counts.min() >= 35
    assert counts.max() <= 37


def test_calibration_sees_no_held_out_image(data: ModuleType) -> None:
    held_out = {tuple(x.flatten().tolist()) for x in data.validation().images}
    seen = {tuple(x.flatten().tolist()) for x in data.calibration().images}
    assert not held_out & seen


def test_a_sample_is_an_image_and_a_digit(data: ModuleType) -> None:
    image, label = data.training()[3]
    assert image.shape == (1, 8, 8)
    assert image.dtype == torch.float32
    assert float(image.min()) >= -1
    assert float(image.max()) <= 1
    assert label in range(10)
    with pytest.raises(IndexError):
        data.training()[1437]


def test_the_split_does_not_depend_on_the_global_seed(data: ModuleType) -> None:
    torch.manual_seed(1)
    data._split.cache_clear()
    first = data.validation().images
    torch.manual_seed(2)
    data._split.cache_clear()
    assert torch.equal(first, data.validation().images)


def test_the_checkpoint_is_small_and_good(
    network: torch.nn.Module, data: ModuleType, train: ModuleType
) -> None:
    assert CHECKPOINT.stat().st_size < 300_000
    assert train.accuracy(network, data.validation()) >= 0.985


def test_training_is_seeded(train: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train.write(train.train(epochs=1), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_augmentation_moves_by_a_pixel_at_most(train: ModuleType) -> None:
    torch.manual_seed(0)
    image = torch.full((200, 1, 8, 8), -1.0)
    image[:, :, 4, 4] = 1.0
    places = {tuple(p.nonzero()[0].tolist()) for p in train.shift(image)[:, 0] == 1.0}
    assert places == {(row, column) for row in (3, 4, 5) for column in (3, 4, 5)}


@pytest.mark.parametrize("verb", [["check", "--locked"], ["plan"], ["why"], ["fmt", "--check"]])
def test_reviewing_the_pipeline_needs_no_torch(verb: list[str]) -> None:
    arguments = [*verb, str(PIPELINES / "digits.qf"), *(["stem.conv"] if verb == ["why"] else [])]
    code = (
        "import sys; sys.modules['torch'] = None; from qflow.cli import main;"
        f"sys.exit(main({arguments!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
