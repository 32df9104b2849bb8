"""Only values of the configuration fill in `${...}`: nothing of the machine, and no code."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from qflow.diagnostics import QflowError
from qflow.hydra.interpolations import problems, references
from tests.hydra.project import CONFIG, composed, write


def refused(text: str, **other: str) -> list[str]:
    config = OmegaConf.create({"qflow": {"a": [text], "b": "plain"}, **other})
    found = list(problems(config, "qflow"))
    assert {d.code for d in found} <= {"QF146"}
    return [d.about for d in found]


@pytest.mark.parametrize(
    "text",
    [
        "${oc.env:HOME}",
        "x ${ oc.env : HOME } y",
        "${now:%Y}",
        "${hydra:runtime.cwd}",
        "${eval:1+1}",
        "${oc.decode:${oc.env:HOME}}",
        "${${name}:x}",
        "${oc.deprecated:a}",
        "${a.${oc.env:X}}",
        "\\\\${oc.env:HOME}",
    ],
)
def test_resolvers_are_refused(text: str) -> None:
    assert refused(text) == ["qflow.a[0]"]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "${other}",
        "${.b}",
        "${oc.select:other,1}",
        "\\${oc.env:HOME}",
        "${oc.dict.keys:other}",
    ],
)
def test_values_of_the_configuration_are_not(text: str) -> None:
    assert refused(text, other="1") == []


@pytest.mark.parametrize("text", ["${other}", "${oc.select:other}", "${..other}", "${${x}}"])
def test_what_they_lead_to_counts(text: str) -> None:
    assert refused(text, other="${oc.env:HOME}", x="other") == ["other"]


def test_what_nobody_asks_for_does_not() -> None:
    assert refused("${other}", other="1", mine="${oc.env:HOME}") == []


def test_references() -> None:
    assert list(references("${a.b} ${c:d,${e}}")) == [("a.b", False), ("c", True), ("e", False)]


def test_a_project_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, CONFIG.replace("stem: stem.**", "stem: ${oc.env:HOME}"))
    with pytest.raises(QflowError) as caught:
        composed()
    (found,) = caught.value.diagnostics
    assert found.code == "QF146"
    assert "params.NAME" in found.help
