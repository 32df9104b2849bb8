"""Every format as its documentation has it: what is read, what is listed, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from qflow import registry
from qflow.diagnostics import QflowError
from qflow.tables.entry import Entry, Table
from qflow.tables.reading import FORMATS, LARGEST, parse, read
from tests.tables import texts


def entry(table: Table, name: str) -> Entry:
    return {e.name: e for e in table.entries}[name]


@pytest.mark.parametrize("kind", texts.TABLES)
def test_a_format_is_seen_from_its_text(kind: str) -> None:
    table = parse(texts.TABLES[kind], "net.table")
    assert table.format == kind.split()[0]
    assert parse(texts.TABLES[kind], "net.table", table.format) == table
    assert len(table.entries) >= 2


@pytest.mark.parametrize("kind", texts.TABLES)
def test_line_ends_and_a_mark_at_the_beginning_say_nothing(kind: str) -> None:
    class Files:
        def __init__(self, raw: bytes) -> None:
            self.raw = raw

        def read(self, path: object) -> bytes:
            return self.raw

        def size(self, path: object) -> int:
            return len(self.raw)

    text = texts.TABLES[kind]
    dos = b"\xef\xbb\xbf" + text.rstrip("\n").replace("\n", "\r\n").encode()
    assert read("x", "x", Files(dos)).entries == parse(text, "x").entries


def test_every_format_has_a_text() -> None:
    assert {kind.split()[0] for kind in texts.TABLES} == set(registry.names(FORMATS))


def test_rows_of_tpu_mlir() -> None:
    table = parse(texts.TPU_MLIR, "t")
    assert entry(table, "image") == Entry("image", 5, threshold=1.0, signed=False)
    assert entry(table, "head_Gemm") == Entry("head_Gemm", 7, threshold=0.16, signed=True)
    assert table.parameters == ("stem.conv_weight",)


@pytest.mark.parametrize(
    "line",
    [
        "a 1.0 -1.0 1.0 ",
        "a 1.0 -1.0 1.0 7",
        "a 1.0e+2 -1.0 1.0",
        "a nan -1.0 1.0",
        "a 1.0 -1.0",
        "a 1.0 - 1.0",
        "a 1..0 0 1",
    ],
)
def test_a_line_the_compiler_would_pass_over_is_an_error(line: str) -> None:
    with pytest.raises(QflowError, match="QF330") as caught:
        parse(f"b 1.0 -1.0 1.0\n{line}\n", "t", "tpu_mlir")
    (found,) = caught.value.diagnostics
    assert found.at is not None
    assert found.at.line == 2


def test_sections_end_the_rows_of_int8() -> None:
    text = "a 1.0 -1.0 1.0\n# my asym_op list\nb\n#int4_th\na 2.0 -2.0 2.0\n"
    assert [e.name for e in parse(text, "t").entries] == ["a"]


def test_digits_of_tensorrt() -> None:
    table = parse(texts.TENSORRT, "t")
    assert np.float32(entry(table, "image").scale) == np.float32(0.007843138)
    assert entry(table, "(Unnamed Layer* 82) [Shuffle]_output").bits == 8
    # TensorRT writes 0 where it found no range
    assert "above 0" in entry(table, "head").unusable


@pytest.mark.parametrize("line", ["a 3c008081", "a: 3c0080811", "a: 0.5", ": 3c008081", "a:"])
def test_what_is_no_line_of_a_cache(line: str) -> None:
    with pytest.raises(QflowError, match="line 2"):
        parse(f"TRT-8601-MinMaxCalibration\n{line}\n", "t")


def test_encodings_count_from_0() -> None:
    old, new = parse(texts.V061, "t"), parse(texts.V200, "t")
    for table in (old, new):
        assert entry(table, "stem.conv") == Entry("stem.conv", scale=0.01, bits=8)
        assert "zero point" in entry(table, "head").unusable or table is new
    # unsigned with zero point 128 is int8 with zero point 0
    assert entry(new, "head").unusable == ""
    assert "zero point" in entry(new, "relu").unusable
    assert entry(new, "wide").bits == 16
    assert "float16" in entry(new, "half").unusable
    assert new.parameters == ("stem.conv.weight",)


def test_lists_of_encodings() -> None:
    table = parse(texts.V100, "t")
    assert entry(table, "stem.conv") == Entry("stem.conv", scale=0.01, bits=8)
    assert "floats" in entry(table, "half").unusable
    assert "one scale" in entry(table, "rows").unusable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": "9.0.0", "encodings": []}',
        '{"version": "2.0.0", "encodings": {}}',
        '{"version": "2.0.0", "encodings": [{"output_dtype": "int8", "y_scale": 1}]}',
        '{"version": "2.0.0", "encodings": [{"name": "a", "output_dtype": "int8"}]}',
        '{"version": "1.0.0", "activation_encodings": [{"name": "a", "bw": 8, "scale": [1]}]}',
        '{"version": "0.6.1", "activation_encodings": {"a": [{"bitwidth": 99, "scale": 1}]}}',
        '{"version": "2.0.0", "encodings": [' + "[" * 100_000,
        '{"format_version": "2.0", "tensors": {}}',
        '{"format_version": "1.0", "tensors": {"a": {"dtype": "int9"}}}',
        "a 1.0 -1.0\n",
    ],
)
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(QflowError, match="QF330"):
        parse(text, "t")


def test_a_table_is_not_read_where_it_is_too_large() -> None:
    class Large:
        def read(self, path: object) -> bytes:
            raise AssertionError("it is not read")

        def size(self, path: object) -> int:
            return LARGEST + 1

    with pytest.raises(QflowError, match="MiB"):
        read("x", "x", Large())


def test_a_name_that_is_there_twice_is_kept_twice() -> None:
    text = '{"format_version": "1.0", "tensors": {%s, %s}}'
    one = '"a": {"dtype": "int8", "scale": [%s]}'
    table = parse(text % (one % 0.1, one % 0.2), "t")
    assert [e.scale for e in table.entries] == [0.1, 0.2]
