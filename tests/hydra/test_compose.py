"""A project that composes qflow's groups gets the program it would have written, with its places."""

from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.diagnostics.renderers.text import Text
from qflow.hydra.app import text_of
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from tests.hydra.project import CONFIG, composed, write
from tests.lang.yaml import said


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


WRITTEN = """\
qflow 1
param bits: dtype = int8 in [int8, int16]
param top: int = 4
model net {
  entry = "nets:digits"
  input = {image: float32[N, 1, 8, 8]}
  output = {logits: float32[N, 10]}
}
target board { march = "nash-m"; unlisted = error }
data calib { loader = "nets.data:calibration"; samples = 64 }
data val { loader = "nets.data:validation"; metric = accuracy }
qconfig base {
  act.dtype = int8
  act.scheme = per_tensor
  act.observer = mse
  weight.dtype = int8
  weight.scheme = per_channel
  weight.observer = min_max
}
rules base { default use base }
rules stem { match "stem.**" patch { act.dtype = bits } }
quantize { apply base; apply stem }
schedule {
  stage calibrate on calib { state "**" = calibration }
  stage evaluate on val { state "**" = validation }
}
"""


def test_it_is_the_program_somebody_would_write() -> None:
    found = composed()
    assert found.parsed.diagnostics == ()
    program = program_of(parse(WRITTEN, "net.qf").file)
    assert said(program_of(found.parsed.file)) == said(program)
    assert said(program_of(parse(text_of(found), "x.qf").file)) == said(program)
    front = found.front()
    assert front.diagnostics == ()
    assert front.plan is not None


def test_each_value_knows_its_file() -> None:
    program = composed().program
    where = {
        program.models[0].span.path: "model",
        program.targets[0].fields[0].value.span.path: "march",
        program.qconfigs[0].fields[0].span.path: "qconfig",
        program.schedules[0].stages[0].span.path: "schedule",
    }
    assert where == {
        "conf/main.yaml": "model",
        "qflow/conf/march/nash-m.yaml": "march",
        "qflow/conf/qconfig/w8a8.yaml": "qconfig",
        "qflow/conf/schedule/ptq.yaml": "schedule",
    }
    line = CONFIG.split("\n").index('      entry: "nets:digits"') + 1
    assert program.models[0].fields[0].span.line == line


def test_groups_are_chosen_and_rule_sets_added() -> None:
    found = composed(["qflow/march=nash-e", "qflow/qconfig=w8a16", "team=vision"])
    program = found.program
    assert program.targets[0].fields[0].value.value == "nash-e"
    assert program.qconfigs[0].fields[0].value.value == "int16"
    assert [r.name for r in program.rule_sets] == ["base", "stem", "head"]
    assert [r.rules for r in program.quantizes[0].rules] == ["base", "stem", "head"]
    assert program.rule_sets[2].span.path == "conf/team/vision.yaml"


def test_a_value_of_a_param_is_a_setting() -> None:
    found = composed(["qflow.params.bits=int16", "qflow.params.top=6"])
    assert found.settings == {"bits": "int16", "top": "6"}
    assert said(found.program) == said(composed().program)
    unit = found.front().unit
    assert unit is not None
    assert dict(unit.params) == {"bits": "int16", "top": 6}
    assert composed(["qflow.params.top=4"]).settings == {}


def test_another_value_keeps_the_kind_of_the_one_it_replaces() -> None:
    found = composed(["qflow.data.calib.loader=loader", "qflow.data.val.metric=cosine"])
    calib, val = found.program.data
    # in quotes in the file, and without
    assert type(calib.fields[0].value).__name__ == "String"
    assert type(val.fields[1].value).__name__ == "Name"
    assert calib.fields[0].value.span.path == "command line"
    assert calib.fields[1].value.span.path == "conf/main.yaml"


def test_a_finding_shows_the_line_of_the_group(here: Path) -> None:
    team = here / "conf" / "team" / "vision.yaml"
    team.write_text(team.read_text().replace("match: head", "match: haed"))
    front = composed(["team=vision"]).front()
    text = Text().render(front.diagnostics, front.sources)
    assert "error[QF201]" in text
    assert "--> conf/team/vision.yaml:5:17" in text
    assert "match: haed, patch" in text


def test_a_wrong_key_is_found_in_its_file(here: Path) -> None:
    team = here / "conf" / "team" / "vision.yaml"
    team.write_text(team.read_text().replace("patch", "pacth"))
    with pytest.raises(QflowError) as caught:
        text_of(composed(["team=vision"]))
    (found,) = caught.value.diagnostics
    assert (found.code, found.at.path, found.at.line) == ("QF141", "conf/team/vision.yaml", 5)
    assert found.help == "did you mean `patch`?"


def test_traps_of_yaml_are_found_behind_hydra(here: Path) -> None:
    main = here / "conf" / "main.yaml"
    main.write_text(CONFIG.replace("samples: 64", "samples: 010").replace("metric: acc", "on: acc"))
    found = composed().parsed.diagnostics
    assert [(d.code, d.at.path) for d in found] == [("QF142", "conf/main.yaml")] * 2


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["qflow/march=nash-x"], "nash-x"),
        (["qflow.params.bitz=int8"], "bitz"),
        (["qflow.qflow=two"], "two"),
        (["qflow.model.net.entry='${nowhere}'"], "nowhere"),
        (["qflow.model.net.entry=???"], "entry"),
    ],
)
def test_what_hydra_refuses_is_a_finding(overrides: list[str], said: str) -> None:
    with pytest.raises(QflowError) as caught:
        composed(overrides)
    (found,) = caught.value.diagnostics
    assert found.code == "QF148"
    assert said in " ".join([found.message, *found.notes])


def test_no_program_at_the_key() -> None:
    Path("conf/other.yaml").write_text("a: 1\n")
    with pytest.raises(QflowError, match="no program at `qflow`"):
        composed(name="other")


def test_the_edition_must_be_given(here: Path) -> None:
    (here / "conf" / "main.yaml").write_text(CONFIG.replace("  qflow: 1\n", ""))
    with pytest.raises(QflowError, match="QF148"):
        composed()


def test_a_key_no_file_has_is_told_where_it_was_given() -> None:
    (found,) = composed(["+qflow.modle.x=1"]).parsed.diagnostics
    assert (found.code, found.help) == ("QF141", "did you mean `model`?")
    assert str(found.at) == "command line:1:1"


def test_a_finding_shows_what_was_given_on_the_command_line() -> None:
    front = composed(["qflow.params.top=6", "qflow.data.calib.samples=few"]).front()
    text = Text().render(front.diagnostics, front.sources)
    assert "--> command line:2:1" in text
    assert "qflow.data.calib.samples=few" in text
