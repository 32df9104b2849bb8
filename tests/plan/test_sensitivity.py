"""Sensitivity tables: text out and in, damage named, `.pt` without torch and without code."""

import io
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.plan.sensitivity import Origin, Row, Table, parse, read, read_table, render, save
from qflow.plan.sensitivity_text import render as as_text

ROWS = (
    Row("stem.conv", "activation", "Conv2d", 0.9, "qint8", "10(50.00%)", 0.1, "logits"),
    Row("head", "weight", "Linear", 0.95, "qint8", "10(50.00%)", 0.05, "logits"),
    Row("head", "activation", "Linear", 0.95, "qint16", "", 0.05, "boxes"),
    Row("quant", "activation", "QuantStub", inf, "", "", -inf, ""),
)
TABLE = Table(ROWS, Origin("sqnr", "w8a8", "sha256:1", "nash-m", "sha256:2"), 10, 20)


def test_out_and_in() -> None:
    again = parse(render(TABLE).encode(), "x")
    assert set(again.rows) == set(ROWS)
    assert [r.op_name for r in again.rows] == ["stem.conv", "head", "head", "quant"]
    assert [r.sensitive_type for r in again.rows][1:3] == ["activation", "weight"]
    assert replace(again, rows=()) == replace(TABLE, rows=())


def test_line_ends_a_mark_and_empty_lines_do_not_matter() -> None:
    raw = b"\xef\xbb\xbf" + render(TABLE).replace("\n", "\r\n").encode() + b"\r\n"
    assert parse(raw, "x") == parse(render(TABLE).encode(), "x")


def test_order_of_rows_in_the_file_does_not_matter() -> None:
    head, *rows = render(TABLE).splitlines()
    assert parse("\n".join([head, *reversed(rows)]).encode(), "x") == parse(
        render(TABLE).encode(), "x"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("[]\n", "line 1 is not an object"),
        ("{}\n", "its first line"),
        ('{"qflow-sensitivity": 2}', "its first line"),
        ('{"qflow-sensitivity": 1}\n{', "line 2 is not JSON"),
        ('{"qflow-sensitivity": 1}\n{"address": "a"}', "`value` of line 2|`type`"),
        ('{"qflow-sensitivity": 1, "evaluations": "x"}', "evaluations"),
        (
            '{"qflow-sensitivity": 1}\n{"address": "a", "type": "bias", "op": "x", "value": 1, "score": 1}',
            "names no address",
        ),
        (
            '{"qflow-sensitivity": 1}\n{"address": "a", "type": "weight", "op": "x", "value": true, "score": 1}',
            "value",
        ),
        (
            '{"qflow-sensitivity": 1}\n{"address": "a", "type": "weight", "op": "x", "value": NaN, "score": 1}',
            "value",
        ),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_damage_is_named(text: str, why: str) -> None:
    with pytest.raises(QflowError, match="QF282") as error:
        parse(text.encode(), "x.json")
    assert error.match(why)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(QflowError, match="QF302"):
        read(tmp_path / "x.json")


def test_a_table_tells_what_it_no_longer_fits() -> None:
    now = replace(TABLE.origin, march="nash-e", model="sha256:3", data="sha256:9", samples="x")
    assert TABLE.differs(TABLE.origin) == ()
    assert TABLE.differs(now) == ("march", "model")


def test_text_has_the_columns_of_the_field() -> None:
    lines = as_text(ROWS, "sqnr").splitlines()
    assert lines[0].split() == [
        "op_name",
        "sensitive_type",
        "op_type",
        "sqnr",
        "quant_dtype",
        "flops",
    ]
    assert lines[2].split() == ["stem.conv", "activation", "Conv2d", "0.9", "qint8", "10(50.00%)"]


PLAIN = [
    ["a", "activation", "Conv2d", 0.5, "qint8", "1(50.00%)"],
    ["b", "weight", "Linear", 0.25, "qint8", "1(50.00%)"],
]


@pytest.mark.parametrize("columns", [4, 5, 6])
@pytest.mark.parametrize("old", [False, True])
def test_pt_of_every_width_is_read_without_torch(columns: int, old: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from qflow.quantization import sensitivity_table

    rows = [row[:columns] for row in PLAIN]
    file = tmp_path / "x.pt"
    torch.save(rows, file, _use_new_zipfile_serialization=not old)
    code = f"import sys; sys.modules['torch'] = None\nfrom pathlib import Path\nfrom qflow.plan.sensitivity import read_table\nprint([r.op_name for r in read_table(Path({str(file)!r}))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['a', 'b']"
    found = read_table(file)
    assert found == sensitivity_table.load(file)
    assert [r.columns()[:columns] for r in found] == rows
    assert [r.score for r in found] == [2.0, 1.0]


class Harm:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def zipped(value: object) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(value, 2))
    return raw.getvalue()


@pytest.mark.parametrize(
    "value",
    [Harm(), [Harm()], [["a", "activation", "Conv2d", Harm()]], [[Path, "weight", "x", 1.0]]],
)
def test_a_pickle_that_would_run_code_is_refused(value: object, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from qflow.quantization import sensitivity_table

    for raw in (zipped(value), pickle.dumps(value)):
        file = tmp_path / "x.pt"
        file.write_bytes(raw)
        for reader in (read_table, sensitivity_table.load):
            with pytest.raises(QflowError, match="QF282"):
                reader(file)


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1},
        [["a", "activation", "Conv2d"]],
        [["a", "bias", "Conv2d", 1.0]],
        [["a", "weight", "Conv2d", "1"]],
        [["a", "weight", "Conv2d", float("nan")]],
        [["", "weight", "Conv2d", 1.0]],
        [[1, "weight", "Conv2d", 1.0]],
        ["abcd"],
    ],
)
def test_other_values_are_no_table(value: object, tmp_path: Path) -> None:
    file = tmp_path / "x.pt"
    file.write_bytes(zipped(value))
    with pytest.raises(QflowError, match="QF282"):
        read_table(file)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x80\x02.", b"nothing", b"\x80\x02K\x01."])
def test_damaged_pickles(raw: bytes, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from qflow.quantization import sensitivity_table

    file = tmp_path / "x.pt"
    file.write_bytes(raw)
    for reader in (read_table, sensitivity_table.load):
        with pytest.raises(QflowError, match="QF282"):
            reader(file)


def test_metrics_that_are_tensors_are_read_with_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from qflow.quantization import sensitivity_table

    file = tmp_path / "x.pt"
    torch.save([["a", "activation", "Conv2d", torch.tensor(0.5)]], file)
    with pytest.raises(QflowError, match="--from"):
        read_table(file)
    assert sensitivity_table.load(file)[0].metric == 0.5


def test_saving_replaces_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("old")
    save(TABLE, file)
    assert read(file).origin == TABLE.origin
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
