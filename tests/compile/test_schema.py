"""The JSON schema of the YAML form: good files pass, each wrong one is found, and it is current."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml as pyyaml
from jsonschema import Draft202012Validator

from qflow.cli import main
from qflow.compile.front import front
from qflow.compile.schema import schema
from qflow.diagnostics import has_errors
from qflow.lang import yaml
from tests.lang.yaml.test_both_ways import PROGRAMS, named, twice

ROOT = Path(__file__).parent.parent.parent
VALIDATOR = Draft202012Validator(schema())


@cache
def mistakes(text: str) -> list[str]:
    return [e.message for e in VALIDATOR.iter_errors(pyyaml.safe_load(text))]


def test_it_is_a_schema_and_the_one_that_is_kept() -> None:
    Draft202012Validator.check_schema(schema())
    kept = ROOT / "grammar" / "schema.json"
    assert main(["schema", "--check", str(kept)]) == 0, f"run `qflow schema --out {kept.name}`"


GOOD = [
    (path, program)
    for path, program in PROGRAMS
    if (path.parent.parent.name == "compile" or "pipelines" in path.parts) and not twice(program)
]


@pytest.mark.parametrize(("path", "program"), GOOD, ids=named)
def test_what_it_refuses_the_compiler_refuses(path, program, monkeypatch) -> None:
    if not mistakes(yaml.show(program)):
        return
    monkeypatch.chdir(path.parent)
    assert has_errors(front(Path(path.name), {}).diagnostics)


def test_most_files_pass() -> None:
    passed = [p for p, program in GOOD if not mistakes(yaml.show(program))]
    assert len(passed) > 0.85 * len(GOOD)
    assert {p.stem for p, _ in GOOD if "pipelines" in p.parts} <= {p.stem for p in passed}


WHOLE = (ROOT / "tests" / "cases" / "yaml" / "nothing_wrong.yaml").read_text(encoding="utf-8")


def test_every_construct_passes() -> None:
    assert mistakes(WHOLE) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("qflow: 1", "qflow: 2"),
        ("qflow: 1", "qfow: 1"),
        ("params:", "parms:"),
        ("{file: b.qf}", "{fil: b.qf}"),
        ("value: int8", "vale: int8"),
        ("in: 0..64", "in: 64"),
        ("type: dtype", "type: dtpe"),
        ("entry: shop", "entri: shop"),
        ("march: nash-e", "masrch: nash-e"),
        ("npu.v2:", "npu-v2:"),
        ("loader:", "laoder:"),
        ("{observer: percentile", "{obsever: percentile"),
        ("act.dtype: bits", "act.dtpe: bits"),
        ("candidate:", "candidat:"),
        ("wrap:", "wrpa:"),
        ("leaf: {type:", "leaf: {typ:"),
        ("conv + bn + relu", "conv - bn"),
        ("default:", "defautl:"),
        ("{match: [{op:", "{macht: [{op:"),
        ("expect: 2", "expect: two"),
        ("use: npu.w8a16}", "us: npu.w8a16}"),
        ("{apply: base}", "{apply: [base]}"),
        ("sensitive(sens, top = top)", "sensitiv(sens, top = top)"),
        ("optional: true", "optional: often"),
        ("float: true", "float: false"),
        ("float: true", "float: true, use: a"),
        ("state: qat", "state: qta"),
        ("freeze: scale", "freeze: scales"),
        (', of: "neck.**"', ""),
        ("from_epoch: 2", "from: 2"),
        ("set: {lr: 1e-3}", "set: {rl: 1e-3}"),
        ("- stage: finetune", "- stag: finetune"),
        ("assert: output.cls is int32", "assert: output.cls"),
        ("warn:", "warning:"),
        ("opset: 21", "opste: 21"),
        ("zip: true", "zip: maybe"),
    ],
)
def test_each_mistake_is_found(before: str, after: str) -> None:
    assert before in WHOLE
    wrong = WHOLE.replace(before, after, 1)
    assert mistakes(wrong)


def test_it_offers_what_is_registered() -> None:
    text = json.dumps(schema())
    for word in ("percentile", "nash-m", "cosine", "sgd", "w8a16", "sensitive", "nchw"):
        assert re.search(rf"\b{word}\b", text), word


def test_the_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
    path = tmp_path / "s.json"
    assert main(["schema", "--out", str(path)]) == 0
    assert json.loads(path.read_text()) == schema()
    path.write_text("{}")
    assert main(["schema", "--check", str(path)]) == 1
    assert main(["schema", "--check", str(tmp_path / "none.json")]) == 2
