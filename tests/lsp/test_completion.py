"""Completion: what is offered where, in whole and in broken texts."""

import pytest

from qflow.compile.front import front
from qflow.lang.sources import DISK, Overlay
from qflow.lang.split import ITEM_WORDS
from qflow.lsp import words
from qflow.lsp.completion import completion
from qflow.lsp.place import place
from tests.lsp.known import CURSOR, DIGITS, digits

HEAD = """\
qflow 1
param bits: dtype = int8 in [int8, int16]
data calib { loader = "a:b" }
qconfig stem { base = w8a8 }
sensitivity sens { data = calib }
rules outputs { default float }
model m { output = {y: float32[1, 4]} }
"""


def offered(text: str) -> set[str]:
    return {candidate.text for candidate in completion(*digits(HEAD + text))}


WHERE = {
    f"q{CURSOR}": {"quantize", "qconfig"},
    f"{CURSOR}": set(ITEM_WORDS),
    f"param x: {CURSOR}": {"int", "dtype", "observer", "march"},
    f"param x: dtype = {CURSOR}": {"int8", "int16"},
    f"param x: observer = {CURSOR}": set(),
    f"param x: int = 3 {CURSOR}": {"in"},
    f"target t {{\n  {CURSOR}\n}}": {"march", "profile", "unlisted"},
    f"target t {{\n  march = {CURSOR}\n}}": {"nash-m", "nash-e", "bits"},
    f"target t {{\n  unlisted = {CURSOR}\n": {"error", "float"},
    f"qconfig q {{\n  act.o{CURSOR}\n": {"act.observer"},
    f"qconfig q {{\n  act.observer = {CURSOR}\n": {"percentile", "mse", "bits"},
    f"qconfig q {{\n  act.dtype = {CURSOR}\n": {"int8", "bits"},
    f"qconfig q {{\n  act.percentile = 1\n  base = {CURSOR}": {"stem", "w8a8", "w16a16"},
    f"qconfig q {{ weight.scheme = {CURSOR}": {"per_channel", "per_tensor"},
    f"sensitivity s {{ data = {CURSOR}": {"calib"},
    f"sensitivity s {{ candidate = {CURSOR}": {"stem", "w8a8"},
    f"graph {{ {CURSOR}": {"wrap", "leaf", "fuse"},
    f"graph {{ fuse {CURSOR}": {"conv2d", "add"},
    f"graph {{ leaf type {CURSOR}": {"Conv2d", "ReLU"},
    f"quantize {{\n  {CURSOR}": {"default", "match", "apply"},
    f"quantize {{\n  default {CURSOR}": {"use", "patch", "float"},
    f"quantize {{\n  default use {CURSOR}": {"stem", "w8a8"},
    f"quantize {{\n  match {CURSOR}": {"type", "op", "sensitive(", "upstream("},
    f"quantize {{\n  match op {CURSOR}": {"conv2d", "softmax"},
    f'quantize {{\n  match "{CURSOR}': {"stem.conv", "stem.**", "**"},
    f'quantize {{\n  match "stem.{CURSOR}" float\n}}': {"stem.conv", "stem.**"},
    f'quantize {{\n  match op add in "{CURSOR}': {"stem.conv"},
    f"quantize {{\n  match sensitive({CURSOR}": {"sens"},
    f"quantize {{\n  apply {CURSOR}": {"outputs"},
    f'quantize {{\n  match "a" use stem with {{ {CURSOR}': {"act.dtype", "weight.observer"},
    f'quantize {{\n  match "a" patch {{ act.dtype = {CURSOR}': {"int16", "bits"},
    f'quantize {{\n  match\n  nonsense here\n  match "a" {CURSOR}\n}}': {"use", "float"},
    f"schedule {{\n  {CURSOR}": {"stage"},
    f"schedule {{\n  stage s on {CURSOR}": {"calib"},
    f"schedule {{\n  stage s on calib {{\n    {CURSOR}": {"state", "freeze", "optimizer", "lr"},
    f'schedule {{\n  stage s on calib {{\n    state "**" = {CURSOR}': {"qat", "validation"},
    f"schedule {{\n  stage s on calib {{ optimizer = {CURSOR}": {"sgd", "adam"},
    f"schedule {{\n  stage s on calib {{ freeze {CURSOR}": {"bn", "scale", "weight"},
    f"check {{\n  {CURSOR}": {"assert", "warn"},
    f"check {{\n  assert {CURSOR}": {"no", "cosine(", "output.y"},
    f"check {{\n  assert cosine({CURSOR}": {"output.y"},
    f"check {{\n  assert output.y is {CURSOR}": {"int32"},
    f"check {{\n  warn accuracy() >= 1 on {CURSOR}": {"calib"},
    f"sweep s {{ {CURSOR}": {"bits"},
    f"sweep s {CURSOR}": {"zip"},
    f"use {CURSOR}": set(),
}


@pytest.mark.parametrize(("text", "expected"), WHERE.items())
def test_what_may_be_written_is_offered(text: str, expected: set[str]) -> None:
    assert offered(text) >= expected


@pytest.mark.parametrize(
    ("text", "unwanted"),
    [
        (f"quantize {{\n  # match {CURSOR}", {"type", "use"}),
        (f'model m {{ entry = "{CURSOR}', {"stem.conv"}),
        (f'quantize {{\n  match "stem.{CURSOR}', {"head.fc", "quant"}),
        (f"quantize {{\n  {CURSOR}", {"stage", "march"}),
        (f"target t {{\n  {CURSOR}", {"act.dtype", "loader"}),
        (f"qconfig q {{\n  act.observer = {CURSOR}", {"int8", "nash-m"}),
    ],
)
def test_what_may_not_be_written_is_not(text: str, unwanted: set[str]) -> None:
    assert offered(text) & unwanted == set()


def test_files_are_offered_to_use() -> None:
    assert "digits_int4.qf" in offered(f'use "{CURSOR}')


def test_what_is_replaced_is_the_word_being_written() -> None:
    found = {c.text: c for c in completion(*digits(f'{HEAD}quantize {{\n  match "stem.c{CURSOR}'))}
    assert found["stem.conv"].start == len("stem.c")
    found = {c.text: c for c in completion(*digits(f"{HEAD}qconfig q {{ act.ob{CURSOR}"))}
    assert found["act.observer"].start == len("act.ob")


def test_a_cursor_anywhere_in_a_program_is_answered() -> None:
    text = DIGITS.read_text(encoding="utf-8")
    for count in range(0, len(text), 29):
        assert isinstance(completion(*digits(text[:count] + CURSOR + text[count:])), tuple)
        place(text[:count])


BLOCKS = {
    "model": "model m {{ {0} = 1 }}",
    "target": "target t {{ {0} = 1 }}",
    "data": "data d {{ {0} = 1 }}",
    "sensitivity": "sensitivity s {{ {0} = 1 }}",
    "export": 'export onnx "x" {{ {0} = 1 }}',
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_the_fields_are_those_of_the_compiler(kind: str) -> None:
    """Which it lists where a field is like none of them."""
    text = f"qflow 1\n{BLOCKS[kind].format('zzqq')}\n"
    found = front(DIGITS, {}, sources=Overlay(DISK, {DIGITS: text})).diagnostics
    (notes,) = [d.notes for d in found if d.code == "QF112"]
    listed = notes[0].removeprefix("its fields: ").replace("`", "").split(", ")
    assert sorted(words.FIELDS[kind]) == sorted(listed)


def test_the_fields_of_qconfigs_are_taken_by_the_compiler() -> None:
    known, _, _ = digits(HEAD)
    for name, detail in words.fields("qconfig", known):
        observer = detail.removeprefix("of ").split(", ")[0] if detail != "field" else "mse"
        part = name.partition(".")[0]
        text = f"qflow 1\nqconfig q {{ base = w8a8; {part}.observer = {observer}; {name} = 1 }}\n"
        if part in ("act", "weight") and not name.endswith(".observer"):
            found = front(DIGITS, {}, sources=Overlay(DISK, {DIGITS: text})).diagnostics
            assert [d.message for d in found if d.code == "QF112"] == []
