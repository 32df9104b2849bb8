"""What qflow writes and reads back: the scales of digits are the same float32, to the bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.cli import main
from qflow.compile.front import front
from qflow.diagnostics import EXIT
from qflow.export._encodings.document import VERSIONS
from qflow.export._encodings.document import render as encodings
from qflow.export._tables.rows import Row
from qflow.export._tensorrt.cache import render as cache
from qflow.export._tpu_mlir.calls import Called
from qflow.export._tpu_mlir.table import render as cali_table
from qflow.plan.plan import Fixed, Plan
from qflow.quantization import record
from qflow.tables.reading import parse
from tests.export.finished import exported, prepared

MARCH = "bm1684x"
PIPELINE = Path(__file__).parent.parent.parent / "pipelines" / "digits_bm1684x.qf"
UNSIGNED = [
    "stem.conv",
    "block1.first.conv",
    "block1.relu",
    "block2.first.conv",
    "block2.relu",
    "average",
]
TABLES = {
    "net_cali_table": "tpu_mlir",
    "net.cache": "tensorrt_cache",
    "net.encodings": "encodings",
}


def program(folder: Path, table: str, more: str) -> Path:
    """The pipeline of digits with its scales from a table, its lock beside it."""
    written = exported(TABLES[table], "digits", MARCH)
    shutil.copytree(written.parent, folder, dirs_exist_ok=True)
    text = PIPELINE.read_text()
    rule = f'\n  match "**" scales from "{table}" {{ {more} }}'
    path = folder / "x.qf"
    path.write_text(text.replace("default use vendor", f"default use vendor{rule}"))
    shutil.copy(PIPELINE.with_name(f"{PIPELINE.name}.lock"), folder / "x.qf.lock")
    return path


def scales_of(plan: Plan) -> dict[str, np.float32]:
    sources = {m.address: m.act.source for m in plan.modules if m.act is not None}
    return {a: np.float32(s.scale.value) for a, s in sources.items() if isinstance(s, Fixed)}


def observed() -> dict[str, np.float32]:
    model, _ = prepared("digits", MARCH)
    return {n.id: n.grid.scale[0] for n in record(model).nodes if n.grid is not None}


@pytest.mark.parametrize("table", TABLES)
def test_scales_of_digits_come_back_as_they_were(table: str, tmp_path: Path) -> None:
    path = program(tmp_path, table, 'map = "net.names.json"')
    found = front(path, {})
    assert found.plan is not None
    got, was = scales_of(found.plan), observed()
    assert len(got) > 10
    assert {a: was[a] for a in got} == got
    signed = {m.address: m.act.source.unsigned for m in found.plan.modules if m.address in got}
    # a row says what is never negative; the other formats have no unsigned grid here
    rows = table == "net_cali_table"
    assert [a for a, u in signed.items() if u] == (UNSIGNED if rows else [])
    (made,) = found.unit.imports
    assert {t.pair.status for t in made.taken} == {"matched"}


def test_a_name_map_alone_is_a_table(tmp_path: Path) -> None:
    path = program(tmp_path, "net.cache", "")
    path.write_text(path.read_text().replace("net.cache", "net.names.json"))
    plan = front(path, {}).plan
    assert plan is not None
    assert scales_of(plan) == {a: s for a, s in observed().items() if a in scales_of(plan)}


def test_a_table_with_other_names_and_without_some_is_reported_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(tmp_path, "net_cali_table", "")
    table = tmp_path / "net_cali_table"
    lines = [line for line in table.read_text().split("\n") if "average" not in line]
    text = "\n".join(lines).replace("stem.conv_Relu", "Conv_0_Relu")
    table.write_text(text.replace("image ", "data "))
    assert main(["tables", str(path)]) == EXIT.cannot
    said = capsys.readouterr()
    rows = [line.split() for line in said.out.splitlines()]
    status = {r[0]: r[1] for r in rows if len(r) > 2}
    assert status["quant"] == status["average"] == status["stem.conv"] == "missing"
    assert status["block1.first.conv"] == "guessed"
    assert "not used: data" in said.out
    assert "error[QF331]" in said.err
    for verb in ("plan", "run"):
        assert main([verb, str(path)]) == EXIT.cannot
    capsys.readouterr()
    # the same as data, and nothing behind it
    assert main(["tables", str(path), "--format", "json"]) == EXIT.cannot
    (found,) = json.loads(capsys.readouterr().out)["tables"]
    assert found["format"] == "tpu_mlir"
    assert "data" in found["unused"]
    missing = {t["address"] for t in found["tensors"] if t["status"] == "missing"}
    assert missing >= {"quant", "average", "stem.conv"}


SCALES = st.floats(2.0**-100, 2.0**100, width=32)


@given(st.lists(SCALES, min_size=1, max_size=12), st.sampled_from(["int8", "int16"]))
@settings(max_examples=25, deadline=None)
def test_any_scale_comes_back_as_it_was(scales: list[float], dtype: str) -> None:
    made = [np.array([s], np.float32) for s in scales]
    rows = [Row(f"t{i}", f"t{i}", "activation", dtype, s, None) for i, s in enumerate(made)]
    top = {"int8": 127, "int16": 32767}[dtype]
    calls = [Called(r.tensor, r.tensor, r.id, r, signed=True) for r in rows]
    read = [e.threshold / top for e in parse(cali_table(calls), "t").entries]
    assert [np.float32(s) for s in read] == [s[0] for s in made]
    for version in VERSIONS:
        read = [e.scale for e in parse(encodings(rows, version), "t").entries]
        assert [np.float32(s) for s in read] == [s[0] for s in made]
    if dtype == "int8":
        read = [e.scale for e in parse(cache(rows, "10.0.0", "X"), "t").entries]
        assert [np.float32(s) for s in read] == [s[0] for s in made]
