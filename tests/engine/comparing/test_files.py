"""`qflow compare a b`: policies, maps, what is left out, exit codes, and files that are hostile."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from qflow import cli
from qflow.diagnostics import QflowError
from qflow.engine.comparing import arrays, policy
from qflow.engine.comparing.stored import open_side
from qflow.engine.dump_index import INDEX, Entry, Grid, Index
from qflow.engine.dump_writer import Writer

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str]:
        code = cli.main(["compare", *arguments])
        return code, "".join(capsys.readouterr())

    return call


def near(size: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    made = np.random.default_rng(0)
    values = made.normal(size=(4, 3, 5)).astype(np.float32)
    return values, values + np.float32(size)


def dump(folder: str, arrays: dict[str, np.ndarray], **entries: Entry) -> None:
    """Of every row a part."""
    writer = Writer(Path(folder), Index(folder, "integer", "integers"), "npz", 1)
    for row in range(len(next(iter(arrays.values())))):
        batch = {name: a[row : row + 1] for name, a in arrays.items()}
        writer.add(1, batch, {name: entries.get(name, Entry()) for name in arrays})
    writer.end()


def test_measures_are_those_of_their_definitions(compare: Call) -> None:
    a, b = near(0.01)
    np.savez("a.npz", x=a)
    save_file({"x": b}, "b.safetensors")
    code, out = compare("a.npz", "b.safetensors", "--format", "json", "--policy", "sqnr >= 10")
    (row,) = json.loads(out)["tensors"]
    a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    apart = a - b
    wanted = {
        "absolute": np.abs(apart).max(),
        "relative": (np.abs(apart) / np.maximum(np.abs(a), np.abs(b))).max(),
        "cosine": a @ b / np.sqrt((a @ a) * (b @ b)),
        "euclidean": 1 - np.linalg.norm(apart) / (np.linalg.norm((a + b) / 2) + 1e-7),
        "sqnr": 10 * np.log10((a @ a) / (apart @ apart)),
    }
    assert row["measured"] == pytest.approx(wanted, rel=1e-12)
    assert (code, row["holds"], row["elements"]) == (0, True, 60)


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ("exact", False),
        ("absolute <= 0.011", True),
        ("absolute<=0.009", False),
        ("relative <= 2", True),
        ("relative <= 1e-4", False),
        ("cosine >= 0.99", True),
        ("cosine >= 0.9999999", False),
        ("euclidean >= 0.9", True),
        ("euclidean >= 0.9999", False),
        ("sqnr >= 30", True),
        ("sqnr >= 60", False),
    ],
)
def test_a_policy(compare: Call, asked: str, holds: bool) -> None:
    a, b = near(0.01)
    np.savez("a.npz", x=a)
    np.savez("b.npz", x=b)
    code, out = compare("a.npz", "b.npz", "--policy", asked)
    assert (code, "QF385" in out) == ((0, False) if holds else (1, True))


def test_the_last_policy_that_covers_counts(compare: Call) -> None:
    a, b = near()
    np.savez("a.npz", **{"head.x": a, "stem.x": a, "stem.y": a})
    np.savez("b.npz", **{"head.x": b, "stem.x": b, "stem.y": a})
    policies = ["--policy", "absolute <= 0.1", "--policy", "head.**: exact"]
    code, out = compare("a.npz", "b.npz", *policies)
    assert (code, out.count("error[QF385]"), "`head.x`" in out) == (1, 1, True)
    code, out = compare("a.npz", "b.npz", *policies, "--policy", "head.x: cosine >= 0.9")
    assert code == 0
    assert policy.policy_of("a#1", policy.read(["a: cosine >= 0"])).measure == "cosine"


@pytest.mark.parametrize(
    "text", ["cosine", "exact <= 1", "cosine <= 1", "near >= 1", "absolute <= x", "sqnr >= nan", ""]
)
def test_a_policy_nobody_understands(compare: Call, text: str) -> None:
    np.savez("a.npz", x=np.ones(2))
    code, out = compare("a.npz", "a.npz", "--policy", text)
    assert (code, "QF383" in out) == (2, True)


def test_what_a_violation_does(compare: Call) -> None:
    a, b = near()
    np.savez("a.npz", x=a, y=a, z=a)
    np.savez("b.npz", x=b, y=b, z=a)
    found = {
        how: compare("a.npz", "b.npz", "--on-violation", how) for how in ("collect", "stop", "warn")
    }
    assert {how: code for how, (code, _) in found.items()} == {"collect": 1, "stop": 1, "warn": 0}
    assert found["collect"][1].count("error[QF385]") == 2
    assert found["stop"][1].count("error[QF385]") == 1
    assert "stopped there" in found["stop"][1]
    assert found["warn"][1].count("warning[QF385]") == 2


def test_names_by_a_map(compare: Call) -> None:
    a, _ = near()
    np.savez("a.npz", conv=a, head=a, extra=a)
    np.savez("b.npz", Conv_0=a, head=a, other=a)
    Path("names.json").write_text(json.dumps({"conv": "Conv_0"}))
    code, out = compare("a.npz", "b.npz", "--map", "names.json")
    assert (code, "conv = Conv_0" in out) == (0, True)
    assert "only in a.npz: extra" in out
    assert "only in b.npz: other" in out
    # the map that an export writes
    exported = {"tensors": {"conv": {"tensor": None, "real": "Conv_0"}, "gone": {"tensor": "x"}}}
    Path("names.json").write_text(json.dumps(exported))
    assert compare("a.npz", "b.npz", "--map", "names.json")[0] == 0


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"conv": 1}', '{"conv": "gone"}', '{"conv": "head", "head": "head"}']
)
def test_a_map_that_fits_nothing(compare: Call, text: str) -> None:
    np.savez("a.npz", conv=np.ones(2), head=np.ones(2))
    Path("names.json").write_text(text)
    code, out = compare("a.npz", "a.npz", "--map", "names.json")
    assert (code, "QF384" in out) == (2, True)


def test_nothing_in_common(compare: Call) -> None:
    np.savez("a.npz", conv=np.ones(2))
    np.savez("b.npz", head=np.ones(2))
    code, out = compare("a.npz", "b.npz")
    assert (code, "QF382" in out, "--map" in out) == (2, True, True)
    code, out = compare("a.npz", "a.npz", "--unstable", "heads")
    assert (code, "QF382" in out) == (2, True)


def test_integers_of_a_dump_and_of_another_tool(compare: Call) -> None:
    """Whole numbers are held against our integers, real ones against what these mean."""
    q = np.arange(-12, 12, dtype=np.int8).reshape(2, 3, 4)
    grid = Grid((0.5, 0.25, 2.0), 3, axis=1)
    dump("ours", {"x": q}, x=Entry("conv2d", grid))
    scale = np.float32(grid.scale).reshape(1, 3, 1)
    np.savez("real.npz", x=(q.astype(np.float32) - 3) * scale)
    np.savez("whole.npz", x=q.astype(np.int32))
    np.savez("other.npz", x=q.astype(np.int32) + 1)
    assert compare("ours", "real.npz")[0] == 0
    assert compare("ours", "whole.npz")[0] == 0
    code, out = compare("ours", "other.npz")
    assert (code, "not equal, by 1 at most" in out) == (1, True)
    # on another grid the same integers mean something else
    dump("shifted", {"x": q}, x=Entry("conv2d", Grid((0.5,))))
    assert compare("ours", "shifted")[0] == 1


def test_tensors_without_an_order_are_left_out(compare: Call) -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0)[::-1].reshape(2, 3).copy()
    dump("ours", {"boxes": a, "x": a}, boxes=Entry("topk", unstable="`boxes` (topk) orders"))
    np.savez("b.npz", boxes=b, x=a)
    code, out = compare("ours", "b.npz")
    assert (code, "left out: `boxes` (topk) orders" in out) == (0, True)
    np.savez("a.npz", boxes=a, x=a)
    assert compare("a.npz", "b.npz")[0] == 1
    assert compare("a.npz", "b.npz", "--unstable", "boxes")[0] == 0


def test_shapes(compare: Call) -> None:
    a = np.ones((2, 3, 4))
    np.savez("a.npz", x=a)
    np.savez("squeezed.npz", x=a.reshape(2, 3, 1, 4))
    np.savez("turned.npz", x=a.transpose(0, 2, 1))
    assert compare("a.npz", "squeezed.npz")[0] == 0
    code, out = compare("a.npz", "turned.npz")
    assert (code, "different shapes" in out) == (1, True)


def test_values_that_are_not_finite(compare: Call) -> None:
    a = np.array([1.0, np.nan, np.inf])
    np.savez("a.npz", x=a)
    np.savez("b.npz", x=np.array([1.0, np.nan, -np.inf]))
    assert compare("a.npz", "a.npz")[0] == 0
    assert compare("a.npz", "b.npz", "--policy", "absolute <= 1e30")[0] == 1
    np.savez("c.npz", x=np.array([1.0, 0.0, np.inf]))
    assert compare("a.npz", "c.npz", "--policy", "cosine >= -1")[0] == 1


def test_blocks_of_any_size_give_the_same(
    compare: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = near()
    np.savez("a.npz", x=np.asfortranarray(a), y=np.float16(a))
    dump("b", {"x": b, "y": b})
    wanted = json.loads(compare("a.npz", "b", "--format", "json")[1])["tensors"]
    monkeypatch.setattr(arrays, "BLOCK", 56)
    found = json.loads(compare("a.npz", "b", "--format", "json")[1])["tensors"]
    for mine, theirs in zip(found, wanted, strict=True):
        # sums have another order
        assert mine.pop("measured") == pytest.approx(theirs.pop("measured"), rel=1e-12)
        assert mine == theirs


def test_options_of_lanes_are_not_ignored(compare: Call) -> None:
    np.savez("a.npz", x=np.ones(2))
    code, out = compare("a.npz", "a.npz", "--lanes", "integer,oracle")
    assert (code, "`--lanes` is for comparing lanes" in out) == (2, True)
    code, out = compare("x.qf", "--policy", "exact")
    assert (code, "`--policy` is for comparing two files" in out) == (2, True)


def _pickled() -> None:
    np.savez("bad.npz", x=np.array([{}], dtype=object))


def _large() -> None:
    """A header that claims more than there is."""
    with zipfile.ZipFile("bad.npz", "w") as made:
        head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }\n"
        made.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


def _called() -> None:
    with zipfile.ZipFile("bad.npz", "w") as made:
        head = b"__import__('os').mkdir('called')\n"
        made.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


def _elsewhere() -> None:
    Path("bad").mkdir()
    part = {"file": "../a.npz", "first": 0, "count": 1, "sha256": ""}
    head = {"format": "qflow.dump", "version": "1.0", "complete": True, "asked": "", "lane": ""}
    text = json.dumps({**head, "values": "", "tensors": {}, "parts": [part]})
    Path("bad", INDEX).write_text(text)


def _offsets() -> None:
    head = json.dumps({"x": {"dtype": "F32", "shape": [4], "data_offsets": [-8, 8]}}).encode()
    Path("bad.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(16))


@pytest.mark.parametrize("make", [_pickled, _large, _called, _elsewhere, _offsets])
def test_files_that_are_hostile(compare: Call, make: Callable[[], None]) -> None:
    np.savez("a.npz", x=np.ones(2))
    make()
    (bad,) = Path().glob("bad*")
    code, out = compare("a.npz", str(bad))
    assert (code, "QF380" in out) == (2, True)
    assert not Path("called").exists()


def test_changed_files_are_refused_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 changes of each form: a diagnostic, or arrays, and never anything else."""
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", x=np.arange(12.0), y=np.arange(6, dtype=np.int8))
    np.savez_compressed("b.npz", x=np.arange(12.0))
    save_file({"x": np.arange(12.0), "y": np.arange(6, dtype=np.int8)}, "c.safetensors")
    np.save("d.npy", np.arange(12.0))
    chosen, refused = random.Random(0), 0
    for name in ("a.npz", "b.npz", "c.safetensors", "d.npy"):
        whole, path = Path(name).read_bytes(), Path(f"changed{Path(name).suffix}")
        for _ in range(1000):
            data = bytearray(whole)
            for _ in range(chosen.randint(1, 3)):
                data[chosen.randrange(len(data))] = chosen.randrange(256)
            path.write_bytes(
                data[: chosen.choice([len(data), len(data), chosen.randrange(len(data))])]
            )
            refused += not _can_be_read(path)
    assert 1000 < refused < 4000


def _can_be_read(path: Path) -> bool:
    from qflow.emulation.record import Damaged

    try:
        for tensor in open_side(path).tensors.values():
            for block in tensor.blocks(real=True):
                assert block.dtype == np.float64
    except QflowError as error:
        if {d.code for d in error.diagnostics} != {"QF380"}:
            raise
        return False
    except Damaged:
        return False
    return True
