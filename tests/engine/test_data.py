"""Data blocks at work: which samples, in which order, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from qflow.diagnostics import QflowError, Span
from qflow.engine import data
from qflow.engine.sample import Reader
from qflow.plan.plan import DataSpec, PortPlan

AT = Span("x.qf", 1, 1, 1, 5)
IMAGE = PortPlan("image", "float32", ("N", 2))


def made(source: Any, ports: tuple[PortPlan, ...] = (IMAGE,), **settings: Any) -> data.DataSet:
    values = {"samples": None, "batch": 2, "seed": 0, "metric": None, **settings}
    spec = DataSpec("d", "m:f", (), at=AT, **values)
    reader = Reader("d", ports, AT)
    return data.DataSet(spec, source, data._indices(spec, len(source)), reader)


def row(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def refused(source: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(QflowError) as caught:
        list(made(source, **more).batches())
    (found,) = caught.value.diagnostics
    assert found.at == AT
    return found.code, found.message


def test_batches_keep_the_order_and_the_last_one_is_shorter() -> None:
    batches = list(made([(row(i, i), i) for i in range(5)]).batches())
    assert [len(b) for b in batches] == [2, 2, 1]
    assert np.concatenate([b.target for b in batches]).tolist() == [0, 1, 2, 3, 4]
    assert batches[0].inputs["image"].shape == (2, 2)


def test_tensors_arrays_and_mappings_are_the_same() -> None:
    forms = [row(1, 2), torch.tensor([1.0, 2.0]), {"image": row(1, 2)}, (row(1, 2),)]
    for form in forms:
        (batch,) = made([form]).batches()
        assert batch.inputs["image"].tolist() == [[1.0, 2.0]]
        assert batch.target is None


def test_an_epoch_shuffles_the_same_way_every_time() -> None:
    source = [(row(i, i), i) for i in range(20)]

    def order(epoch: int, seed: int = 0) -> list[int]:
        return [int(t) for b in made(source, seed=seed).batches(epoch=epoch) for t in b.target]

    assert order(0) == order(0)
    assert order(0) != order(1)
    assert order(0) != order(0, seed=1)
    assert sorted(order(3)) == list(range(20))


def test_samples_are_the_first_or_a_seeded_choice() -> None:
    source = [row(i, i) for i in range(50)]
    assert made(source, samples=3).indices == (0, 1, 2)
    seeded = made(source, samples=3, seed=5, fields=(("seed", AT),))
    assert seeded.indices == made(source, samples=3, seed=5, fields=(("seed", AT),)).indices
    assert seeded.indices != (0, 1, 2)
    assert len(set(seeded.indices)) == 3


def test_the_digest_is_of_the_bytes_used() -> None:
    source = [(row(i, i), i) for i in range(6)]
    before = made(source, samples=4).digest
    assert made([*source[:4], (row(9, 9), 9)], samples=4).digest == before
    assert made([*source[:3], (row(3, 4), 3)], samples=4).digest != before
    assert made([*source[:3], (row(3, 3), 4)], samples=4).digest != before


def test_random_loaders_draw_the_same_numbers_in_the_same_pass() -> None:
    class Noisy:
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> torch.Tensor:
            return torch.randn(2) + float(np.random.rand())

    assert made(Noisy()).digest == made(Noisy()).digest


@pytest.mark.parametrize(
    ("sample", "code", "says"),
    [
        (row(1, 2, 3), "QF313", "input `image` of sample 0 in data `d` is float32[3]"),
        (np.zeros(2), "QF313", "float64[2]"),
        (np.zeros(2, dtype=np.uint8), "QF313", "uint8[2]"),
        (row(1, np.nan), "QF403", "not finite"),
        (row(1, np.inf), "QF403", "not finite"),
        ("text", "QF315", "a str, not a tensor"),
        ((row(1, 2), "label"), "QF315", "the target of sample 0"),
        ((row(1, 2), 1, 2), "QF315", "3 parts"),
        ({"picture": row(1, 2)}, "QF315", "`picture`"),
        (np.array(["a", "b"]), "QF315", "not a tensor"),
    ],
)
def test_a_bad_sample_is_named(sample: Any, code: str, says: str) -> None:
    found, message = refused([sample])
    assert found == code
    assert says in message


def test_the_index_in_the_message_is_the_one_of_the_loader() -> None:
    code, message = refused([row(1, 2), row(1, 2), row(1, 2), row(3)])
    assert code == "QF313"
    assert "sample 3" in message


def test_several_inputs_come_by_name() -> None:
    ports = (IMAGE, PortPlan("mask", "float32", ("N", 1)))
    code, message = refused([row(1, 2)], ports=ports)
    assert code == "QF315"
    assert "does not say which is which" in message
    (batch,) = made([{"image": row(1, 2), "mask": row(0)}], ports=ports).batches()
    assert set(batch.inputs) == {"image", "mask"}


def test_a_batch_needs_one_shape() -> None:
    free = PortPlan("image", "float32", ("N", "W"))
    code, message = refused([row(1), row(1, 2)], ports=(free,))
    assert code == "QF315"
    assert "[1] and [2]" in message
    assert len(list(made([row(1), row(1, 2)], ports=(free,), batch=1).batches())) == 2


def test_targets_are_for_all_samples_or_none() -> None:
    code, message = refused([(row(1, 2), 1), (row(1, 2), None)])
    assert code == "QF315"
    assert "some samples have one" in message


def test_plain_values_of_the_plan() -> None:
    assert data.plain((("a", 1), ("b", (1, 2)))) == {"a": 1, "b": [1, 2]}
    assert data.plain((1, "x")) == [1, "x"]
    assert data.plain(3) == 3


LOADERS = """
class Set(list):
    pass

def empty(): return []
def broken(): raise KeyError("no such file")
def number(): return 5
def lazy(): return (x for x in [1])
def given(scale, names, seed, samples): return Set([(scale, names, seed, samples)])
def plain(): return [1]
constant = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    (tmp_path / f"loaders_{tmp_path.name}.py").write_text(LOADERS)
    return tmp_path


def load(folder: Path, name: str, **settings: Any) -> data.DataSet:
    values = {"samples": None, "batch": 2, "seed": 4, "metric": None, "args": (), **settings}
    spec = DataSpec("d", f"loaders_{folder.name}:{name}", at=AT, **values)
    return data.load(spec, (IMAGE,), folder)


@pytest.mark.parametrize(
    ("name", "code", "exit_code", "says"),
    [
        ("empty", "QF404", 2, "`d` is empty"),
        ("broken", "QF312", 3, "failed with KeyError: 'no such file'"),
        ("number", "QF315", 2, "a int, which has no length"),
        ("lazy", "QF315", 2, "a generator, which has no length"),
        ("absent", "QF312", 2, "has no `absent`"),
        ("constant", "QF312", 2, "is a int, not a function"),
        ("given", "QF312", 3, "missing 2 required positional arguments"),
    ],
)
def test_a_bad_loader_is_named(
    folder: Path, name: str, code: str, exit_code: int, says: str
) -> None:
    with pytest.raises(QflowError) as caught:
        load(folder, name)
    (found,) = caught.value.diagnostics
    assert (found.code, caught.value.exit_code) == (code, exit_code)
    assert says in found.message
    assert found.at == AT


def test_a_loader_gets_its_arguments_and_what_else_it_takes(folder: Path) -> None:
    args = (("names", ("a", "b")), ("scale", 2.0))
    found = load(folder, "given", args=args, samples=7)
    assert found.source[0] == (2.0, ["a", "b"], 4, 7)
    assert load(folder, "plain", samples=7).source == [1]


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(2).bfloat16(), torch.zeros(2).to_sparse(), torch.zeros(2, device="meta")],
    ids=["bfloat16", "sparse", "meta"],
)
def test_a_tensor_numpy_cannot_hold(tensor: torch.Tensor) -> None:
    code, message = refused([tensor])
    assert code == "QF315"
    assert "input `image` of sample 0 in data `d` cannot become an array" in message
