"""The groups that ship: every option composes, and says what it stands for."""

from dataclasses import fields
from pathlib import Path

import pytest
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError

from qflow import march, registry, resources
from qflow.compile import builtin
from qflow.hydra.compose import Composed, compose
from qflow.hydra.mount import PATH, QflowGroups, file_of
from qflow.plan.json import dumps
from qflow.plan.reader import loads
from tests.hydra.project import initialized
from tests.lang.yaml import said

CONF = resources.folder("conf")
GROUPS = ("data", "export", "launcher", "march", "pipeline", "qconfig", "rules", "schedule")
OPTIONS = [
    ("export", "onnx"),
    ("launcher", "submitit"),
    ("march", "generic"),
    ("qconfig", "w16a16"),
    ("rules", "wide_outputs"),
    ("schedule", "qat"),
]
"""One of each group: a composition takes a third of a second, and the files are much alike."""


def composed(*overrides: str) -> Composed:
    with initialized(CONF.resolve()):
        return compose("config", ["pipeline=digits", *overrides])


def test_every_group_is_there() -> None:
    assert sorted(p.name for p in CONF.iterdir() if p.is_dir()) == sorted(GROUPS)
    assert tuple(sorted(p.stem for p in (CONF / "march").glob("*.yaml"))) == march.names()
    for path in (CONF / "march").glob("*.yaml"):
        wanted = {"march": path.stem, "unlisted": "error"}
        assert resources.read_yaml(path) == wanted
        assert path.read_text().startswith("# @package target.board\n")
    assert builtin.load("w8a8")["act.dtype"] == "int8"


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_options_compose(group: str, option: str) -> None:
    found = composed(f"{group}={option}")
    assert found.parsed.diagnostics == ()
    if group == "march":
        assert found.program.targets[0].fields[0].value.value == option
    if group == "qconfig":
        fields = {f.name: f.value.value for f in found.program.qconfigs[0].fields}
        assert fields == dict(builtin.load(option))


def test_launchers_have_the_options_that_are_given() -> None:
    assert {p.stem for p in (CONF / "launcher").glob("*.yaml")} == set(
        registry.names("sweep.launchers")
    )
    for path in (CONF / "launcher").glob("*.yaml"):
        given = dict(resources.read_yaml(path))
        assert given.pop("kind") == path.stem
        launcher = registry.load("sweep.launchers", path.stem)
        # all of them, so that the command line needs no `+`, and as they are without Hydra
        assert given == {f.name: f.default for f in fields(launcher)}


def test_digits_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONF.parent)
    for overrides in ((), ("schedule=qat", "params.rounds=1"), ("rules=wide_outputs",)):
        front = composed(*overrides).front()
        assert front.diagnostics == ()
        assert front.plan is not None


def test_the_source_under_the_prefix() -> None:
    source = QflowGroups("qflow", PATH)
    assert source.available()
    assert source.list("", None) == ["qflow"]
    assert source.list("", ObjectType.CONFIG) == []
    assert source.list("qflow", ObjectType.GROUP) == sorted(GROUPS)
    assert "nash-m" in source.list("qflow/march", ObjectType.CONFIG)
    assert source.is_group("qflow/march")
    assert not source.is_group("march")
    assert not source.is_config("qflow/march/../march/nash-m")
    assert source.load_config("qflow/march/nash-m").header["package"] == "qflow.target.board"
    assert source.load_config("qflow/data/digits").header["package"] == "qflow.data"
    digits = source.load_config("qflow/pipeline/digits")
    assert digits.header["package"] == "qflow"
    assert {"/qflow/march": "nash-m"} in digits.config.defaults
    assert file_of("qflow/march/nash-m") == CONF / "march" / "nash-m.yaml"
    with pytest.raises(ConfigLoadError):
        source.load_config("qflow/march/no")


def test_a_whole_pipeline_under_the_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.yaml").write_text("defaults: [qflow/pipeline: digits]\n")
    with initialized(tmp_path):
        found = compose("main", ["qflow/march@qflow.qflow.march=nash-e"], at="qflow")
    assert said(found.program) == said(composed("march=nash-e").program)
    assert found.file == Path("pipelines/digits.qf")


def test_its_plan_has_no_path_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONF.parent)
    plan = composed().front().plan
    assert plan is not None
    text = dumps(plan)
    assert any(file.startswith("qflow/conf/") for file in plan.files)
    assert not any(Path(file).is_absolute() or ".." in file for file in plan.files)
    assert loads(text, plan.folder) == plan
