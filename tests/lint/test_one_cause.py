"""One mistake, one finding: a good file with one thing changed gives exactly that."""

import re
from pathlib import Path

import pytest

from qflow.lang.sources import DISK, Overlay
from qflow.lint.findings import findings
from tests.cli.pipeline import copy_case

GOOD = """\
qflow 1

param act:    dtype  = int8     in [int8, int16]
param march:  string = "nash-m" in ["nash-e", "nash-m"]
param rounds: int    = 2        in 0..20

model net {
  entry  = "nets:digits"
  input  = {image: float32[N, 1, 8, 8]}
  output = {logits: float32[N, 10]}
}

target board {
  march    = march
  unlisted = error
}

data calib { loader = "nets.data:calibration"; samples = 64 }
data val   { loader = "nets.data:validation"; metric = accuracy }

qconfig careful {
  base           = w8a8
  act.dtype      = act
  act.observer   = percentile
  act.percentile = 99.99
}

quantize {
  default         use w8a8 with { act.dtype = act }
  match "stem.**" use careful
}

schedule {
  stage calibrate on calib {
    state "**" = calibration
  }
  stage finetune on calib epochs rounds {
    loss = cross_entropy; optimizer = sgd; lr = 1e-3
    state "**" = qat
  }
  stage evaluate on val {
    state "**" = validation
  }
}

check {
  assert output.logits is int32
  assert accuracy_drop(integer) <= 0.005 on val
  warn   cosine(output.logits) >= 0.99 on val
}

export onnx "x.onnx" { layout = {image: nchw} }
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_case("int8", tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path("x.qf")


def codes(path: Path, text: str) -> list[str]:
    return [d.code for d in findings(path, {}, sources=Overlay(DISK, {path: text})).diagnostics]


def rule(text: str, code: str) -> tuple[str, str, str]:
    """One rule more, the last."""
    return "use careful\n}", f"use careful\n  {text}\n}}", code


def test_nothing_changed(path: Path) -> None:
    assert codes(path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        # names
        ("param act: ", "param acts:", "QF110"),
        ("march    = march", "march    = marhc", "QF110"),
        ('"nash-m" in ["nash-e", "nash-m"]', '"nash-x" in ["nash-x", "nash-m"]', "QF110"),
        ('= "nash-m" in', '= "nash-q" in', "QF111"),
        ('"nets:digits"', '"nets.digits"', "QF111"),
        ('"nets:digits"', '"nets:others"', "QF301"),
        ("qconfig careful", "qconfig carefull", "QF110"),
        ("base           = w8a8", "base           = w8a9", "QF110"),
        ("default         use w8a8", "default         use w8a9", "QF110"),
        ("data calib", "data clib", "QF110"),
        ("data val  ", "data vla  ", "QF110"),
        ("= percentile", "= percentil", "QF110"),
        ("= cross_entropy", "= cross_entrop", "QF110"),
        ("unlisted = error", "unlisted = eror", "QF111"),
        ("99.99", "199.99", "QF111"),
        ("samples = 64", "smaples = 64", "QF112"),
        ("entry  =", "etnry  =", "QF112"),
        ("march    = march", "mrach    = march", "QF112"),
        ("float32[N, 1", "folat32[N, 1", "QF110"),
        ("base           = w8a8", "bsae           = w8a8", "QF112"),
        ("act.observer   = percentile", "atc.observer   = percentile", "QF112"),
        ("param act:    dtype", "param act:    dtyp", "QF110"),
        ("= int8     in", "= int7     in", "QF113"),
        # blocks
        ("target board {\n  march    = march\n  unlisted = error\n}\n", "", "QF115"),
        ("  output = {logits: float32[N, 10]}\n", "", "QF115"),
        # rules
        rule('match "no.such" use w8a8', "QF201"),
        rule('match "average" expect 4 use w8a8', "QF202"),
        rule('match "**" use w8a8', "QF203"),
        rule('match "average" patch { }', "QF206"),
        rule('match "block.**" patch { act.dtyp = int16 }', "QF112"),
        rule('match "block.**" patch { act.dtype = int17 }', "QF110"),
        rule('match "block.**" patch { act.observer = fixed }', "QF115"),
        (
            '  default         use w8a8 with { act.dtype = act }\n  match "stem.**" use careful\n',
            '  match "stem.**" use careful\n  default         use w8a8 with { act.dtype = act }\n',
            "QF210",
        ),
        # groups, fusions, the march
        rule('match "stem.conv", "stem.bn", "stem.relu" patch { act.dtype = int16 }', "QF224"),
        rule('match "average" patch { act.dtype = int16 }', "QF224"),
        rule('match "flatten" patch { act.dtype = int16 }', "QF224"),
        rule('match "stem.conv" patch { act.dtype = int16 }', "QF222"),
        rule('match "block.**" patch { act.dtype = int4 }', "QF501"),
        rule('match "**" patch { weight.dtype = int4 }', "QF501"),
        rule('match "**.relu" patch { out.dtype = int32 }', "QF501"),
        rule('match "head" patch { out.dtype = int16 }', "QF111"),
        # the schedule
        ('    state "**" = calibration\n', "", "QF274"),
        ('state "**" = qat', 'state "stme.**" = qat', "QF201"),
        ('state "**" = calibration', 'state "stme.**" = calibration', "QF201"),
        ('state "**" = calibration', "state output() = calibration", "QF110"),
        ('state "**" = calibration', 'state upstream("heat") = calibration', "QF204"),
        ("epochs rounds", "epochs rond", "QF113"),
        # claims
        ("output.logits is int32", "output.logit is int32", "QF110"),
        ("accuracy_drop(integer)", "acuracy_drop(integer)", "QF110"),
        ("cosine(output.logits)", "cosine(output.logit)", "QF110"),
        # text
        ("unlisted = error", "unlisted: error", "QF101"),
        ('"stem.**" use', "stem.** use", "QF104"),
        ('match "stem.**" use careful', 'match "stem.**"', "QF102"),
        ("quantize {", "quantise {", "QF105"),
    ],
)
def test_one_thing_changed(path: Path, old: str, new: str, code: str) -> None:
    assert GOOD.count(old) >= 1
    assert codes(path, GOOD.replace(old, new, 1)) == [code]


def test_a_name_that_is_wrong_at_several_places_is_one_finding(path: Path) -> None:
    text = GOOD.replace("data val  ", "data vla  ")
    (found,) = findings(path, {}, sources=Overlay(DISK, {path: text})).diagnostics
    places = [found.at, *(label.span for label in found.also)]
    assert [p.line for p in places] == [
        n for n, x in enumerate(text.split("\n"), 1) if "on val" in x
    ]


def test_a_misspelt_set_of_rules_is_one_finding(path: Path) -> None:
    inner = 'rules inner { match "head" patch { weight.observer = mse } }'
    text = GOOD.replace("quantize {", f"{inner}\nrules outer {{ apply inner }}\n\nquantize {{")
    text = text.replace("use careful\n}", "use careful\n  apply outer\n}")
    assert codes(path, text) == []
    assert codes(path, text.replace("apply outer", "apply outre")) == ["QF110"]
    assert codes(path, text.replace("rules outer", "rules outre")) == ["QF110"]


WORD = re.compile(r"(?<![\d.])[A-Za-z_][A-Za-z_.*]{2,}")
TWO = {
    # the lock does not fit, and the lines that use the old name
    "image",
    "logits",
    # the value itself, and what uses the value to go on with
    "nash",
}


def test_every_word_misspelt_is_one_finding(path: Path) -> None:
    """Two neighbouring letters of each word swapped, one word at a time."""
    several = {}
    for match in WORD.finditer(GOOD):
        word = match[0]
        swapped = word[0] + word[2] + word[1] + word[3:]
        if swapped == word or word in TWO:
            continue
        found = codes(path, GOOD[: match.start()] + swapped + GOOD[match.end() :])
        if len(found) > 1:
            several[GOOD[: match.start()].count("\n") + 1, word] = found
    assert several == {}
