"""`qflow dump`: tensors of lanes as files, chosen, in parts, gone on with; and compared again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from qflow.emulation import file
from qflow.engine import dump as dumping
from qflow.engine import dump_writer
from qflow.engine.comparing.stored import open_side
from qflow.engine.dump_index import INDEX, read_index
from tests.engine.conftest import Outcome, Project


def dumped(project: Project, *more: str) -> Outcome:
    return project.call("dump", str(project.program), "--out", str(project.out), *more)


def arrays(folder: Path) -> dict[str, np.ndarray]:
    """Real values of every tensor, flat."""
    found = open_side(folder).tensors
    return {name: np.concatenate(list(t.blocks(real=True))) for name, t in found.items()}


def test_lanes_are_compared_from_their_files(finished: Project) -> None:
    done = dumped(finished, "--lanes", "fake_quant,integer,oracle,export.onnx")
    assert done.code == 0, done.text
    root = finished.out / "dump"
    equal = finished.call("compare", str(root / "integer"), str(root / "oracle"))
    assert (equal.code, "every policy holds" in equal.out) == (0, True)
    near = finished.call(
        *("compare", str(root / "fake_quant"), str(root / "integer")),
        *("--policy", "sqnr >= 60", "--policy", "quant: exact", "--format", "json"),
    )
    found = json.loads(near.out)
    assert near.code == 0, near.out
    assert {t["name"] for t in found["tensors"]} >= {"quant", "conv", "pool", "head"}
    assert "dequant" in found["only"][0]
    apart = finished.call("compare", str(root / "integer"), str(root / "export.onnx"))
    assert (apart.code, "QF385" in apart.text) == (1, True)


def test_integers_and_their_grids(finished: Project) -> None:
    assert dumped(finished, "--tensors", "conv", "--tensors", "he*").code == 0
    folder = finished.out / "dump" / "integer"
    graph = file.load(finished.out / "logical.safetensors")
    index = read_index(folder)
    assert list(index.tensors) == ["conv", "head"]
    assert index.samples == 16
    stored = load_file(folder / index.parts[0].file)
    assert (stored["conv"].dtype, stored["conv"].shape) == (np.int8, (16, 4, 4, 4))
    assert stored["head"].dtype == graph.by_id["head"].output.dtype
    assert np.array_equal(index.tensors["conv"].grid.scale, graph.by_id["conv"].output.scale)
    channels = np.asarray(index.tensors["head"].grid.scale)
    wanted = (stored["head"] * channels).astype(np.float32).ravel()
    assert np.array_equal(arrays(folder)["head"], wanted)


def test_parts_say_the_same_as_one_file(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        dumped(finished, "--to", "whole", "--format-of-files", "npz", "--samples", "12").code == 0
    )
    whole = arrays(Path("whole/integer"))
    monkeypatch.setattr("qflow.cli.dump.MEBIBYTE", 1)
    assert dumped(finished, "--to", "parts", "--part", "600", "--samples", "12").code == 0
    index = read_index(Path("parts/integer"))
    assert [(p.first, p.count) for p in index.parts] == [(0, 8), (8, 4)]
    assert {k: v.tolist() for k, v in arrays(Path("parts/integer")).items()} == {
        k: v.tolist() for k, v in whole.items()
    }


def test_a_dump_that_was_stopped_goes_on(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qflow.cli.dump.MEBIBYTE", 1)
    wanted = ("--part", "600", "--to", "a")
    write, written = dump_writer.write_index, []

    def stop(index, folder: Path) -> None:
        write(index, folder)
        written.append(len(index.parts))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dump_writer, "write_index", stop)
        assert dumped(finished, *wanted).code == 130
    assert not read_index(Path("a/integer")).complete
    refused = finished.call("compare", "a/integer", "a/integer")
    assert (refused.code, "QF381" in refused.text) == (2, True)
    first = Path("a/integer/00000.safetensors")
    before = first.stat().st_mtime_ns
    assert dumped(finished, *wanted).code == 0
    assert first.stat().st_mtime_ns == before
    assert read_index(Path("a/integer")).samples == 16
    complete = Path("a/integer", INDEX).read_bytes()

    # what is whole already is left alone; what was damaged, or asked for otherwise, is made again
    with monkeypatch.context() as patch:
        patch.setattr(dump_writer, "as_safetensors", None)
        assert dumped(finished, *wanted).code == 0
    first.write_bytes(first.read_bytes()[:-1])
    assert dumped(finished, *wanted).code == 0
    assert Path("a/integer", INDEX).read_bytes() == complete
    assert dumped(finished, *wanted, "--real").code == 0
    assert read_index(Path("a/integer")).values == "real"
    assert finished.call("compare", "a/integer", "a/integer").code == 0


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (("--tensors", "stem.**"), "QF382", "`stem.**`"),
        (("--lanes", "integers"), "QF530", "`integers`"),
        (("--data", "test"), "QF110", "`test`"),
    ],
)
def test_what_cannot_be_dumped(
    finished: Project, more: tuple[str, ...], code: str, says: str
) -> None:
    done = dumped(finished, *more)
    assert done.code == 2
    assert code in done.err
    assert says in done.err
    assert not (finished.out / "dump").exists()


def test_tensors_without_an_order_are_marked() -> None:
    """And all that is computed from them."""
    from types import SimpleNamespace as Any

    def node(name: str, op: str, *inputs: str) -> Any:
        return Any(id=name, op=op, inputs=inputs)

    nodes = (node("a", "conv2d"), node("b", "topk", "a"), node("c", "mul", "b", "a"))
    found = dumping._unstable(Any(nodes=nodes))
    assert set(found) == {"b", "c"}
    assert "`b` (topk)" in found["c"]
