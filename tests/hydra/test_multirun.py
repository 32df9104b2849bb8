"""The points of `-m`: how they are called, that all are compiled, and all that is wrong is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra._internal.callbacks import Callbacks
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from hydra_plugins.qflow_sweeper import QflowSweeper
from qflow.diagnostics import QflowError
from qflow.diagnostics.renderers.text import Text
from qflow.hydra import structured
from qflow.hydra.asked import Asked
from qflow.hydra.multirun import Chosen, ComposedPoint, _may_be_group, chosen, points
from qflow.hydra.sweep import CODES, VERBS, sweep
from qflow.lang.parse import parse
from tests.hydra.project import CONFIG, initialized, write

APP = """\
defaults:
  - qflow_app
  - board: nash-m
  - _self_
job: {file: net.qf, verb: plan}
qconfig: {base: {base: w8a8, act: {dtype: bits}}}
rule_sets: {base: [{default: {use: base}}]}
order: [base]
schedule:
  - {stage: calibrate, data: calib, do: [{state: calibration, of: "**"}]}
  - {stage: evaluate, data: val, do: [{state: validation, of: "**"}]}
qflow: 1
params:
  bits: {type: dtype, value: int8, in: [int8, int16]}
  top: {type: int, value: 4, in: 0..8}
"""
MODEL = CONFIG[CONFIG.index("  model:") : CONFIG.index("  rule_sets:")].replace("\n  ", "\n")[2:]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    structured.register()
    (tmp_path / "conf" / "app.yaml").write_text(APP + MODEL)
    board = tmp_path / "conf" / "board"
    board.mkdir()
    for march in ("nash-m", "nash-e"):
        (board / f"{march}.yaml").write_text(f"# @package target.board\nmarch: {march}\n")
    return tmp_path


def running(*lines: str) -> tuple[ConfigLoader, DictConfig]:
    """As Hydra hands it to a sweeper, inside of `initialized`."""
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None
    loader = hydra.config_loader
    return loader, loader.load_configuration("app", [*lines], RunMode.MULTIRUN)


def found(*lines: str) -> tuple[ComposedPoint, ...]:
    with initialized(Path("conf").resolve()):
        loader, master = running(*lines)
        return points(chosen(lines, loader), lines, loader, master)


def swept(*lines: str) -> int:
    with initialized(Path("conf").resolve()):
        loader, master = running(*lines)
        return sweep(loader, master, lines)


def every(*lines: str) -> Sequence[Chosen]:
    with initialized(Path("conf").resolve()):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        return chosen(lines, hydra.config_loader)


def test_every_combination_the_last_list_fastest() -> None:
    all_ = every("params.bits=int8,int16", "job.verb=check", "board=nash-m,nash-e")
    assert [c.varied for c in all_] == [
        (("bits", "int8"), ("board", "nash-m")), (("bits", "int8"), ("board", "nash-e")),
        (("bits", "int16"), ("board", "nash-m")), (("bits", "int16"), ("board", "nash-e")),
    ]  # fmt: skip
    assert all_[1].overrides == ("params.bits=int8", "job.verb=check", "board=nash-e")


def test_lists_as_hydra_writes_them() -> None:
    assert [c.varied for c in every("params.top=range(0,8,4)")] == [
        (("top", "0"),),
        (("top", "4"),),
    ]
    assert [c.varied for c in every("board=glob(*)")] == [
        (("board", "nash-e"),), (("board", "nash-m"),),
    ]  # fmt: skip
    # a key that is given twice, a value twice, and a name that two would have
    assert len(every("params.top=1,2,3", "params.top=1,1")) == 1
    assert every("+top=1,2", "params.top=3,4")[0].varied == (("top", "1"), ("params.top", "3"))
    for wrong, code in (("params.top=interval(0,1)", "QF148"), ("params.top=1,,", "QF148")):
        with pytest.raises(QflowError, match=code):
            every(wrong)
    with pytest.raises(QflowError, match="QF123"):
        every("params.top=range(0,200)", "params.bits=range(0,200)")


def test_each_point_is_composed_and_compiled() -> None:
    done = found("params.bits=int16", "board=nash-e,nash-m")
    assert [p.compiled.point.name for p in done] == ["board=nash-e", "board=nash-m"]
    plans = [p.compiled.front.plan for p in done]
    assert [plan.target.march for plan in plans if plan] == ["nash-e", "nash-m"]
    assert [dict(plan.params)["bits"] for plan in plans if plan] == ["int16", "int16"]
    assert done[0].compiled.values == (("board", "nash-e"),)
    assert done[0].compiled.point.settings == (("bits", "int16"),)
    assert done[0].asked.verb == "plan"


def test_all_that_is_wrong_with_its_point_and_its_place() -> None:
    with pytest.raises(QflowError) as caught:
        found("params.top=1,9", "board=nash-m,nash-x")
    text = Text().render(caught.value.diagnostics, caught.value.sources)
    assert "at the points `top=1,board=nash-x`, `top=9,board=nash-x`" in text
    assert "--> conf/app.yaml:15" in text
    assert "at the point `top=9,board=nash-m`" in text


def test_what_is_given_wrong_is_shown_in_the_command_line() -> None:
    done = found("params.top=1", "data.calib.samples=few")
    wrong = [d for d in done[0].compiled.front.diagnostics if d.severity == "error"]
    text = Text().render(wrong, done[0].compiled.front.sources)
    assert "--> command line:2:1" in text
    assert "2 | data.calib.samples=few" in text


def test_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    done = found("params.bits=int8,int16")
    assert VERBS["plan"](done, Asked("plan")) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[:3]] == ["point", "bits=int8", "bits=int16"]
    assert VERBS["show"](done, Asked("show")) == 0
    first, second = capsys.readouterr().out.split("\n\n# bits=int16\n")
    assert first.startswith("# bits=int8\n# --set bits=int8\nqflow 1\n")
    assert second.startswith("# --set bits=int16\nqflow 1\n")
    assert parse(second, "x.qf").diagnostics == ()
    assert VERBS["check"](done, Asked("check")) == 0
    assert "at the point `bits=int16`" in capsys.readouterr().out
    assert VERBS["check"](done[:1], Asked("check")) == 0
    assert capsys.readouterr().out == "1 point, nothing to say\n"


def test_what_hydra_calls(capsys: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    CODES.set(codes)
    assert swept("params.top=1,9", "job.verb=check") == 1
    assert "at the point `top=9`" in capsys.readouterr().out
    assert swept("params.top=interval(0,1)") == 2
    assert "QF148" in capsys.readouterr().err
    assert codes == [1, 2]


def test_a_launcher_of_hydras_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with initialized(Path("conf").resolve()):
        loader, master = running("params.top=1,2")
        master.hydra.runtime.choices["hydra/launcher"] = "joblib"
        assert sweep(loader, master, ("params.top=1,2",)) == 2
    assert "QF150" in capsys.readouterr().err


def test_keys_that_choose_files() -> None:
    chooses = ["board=nash-m", "+team=vision", "a/b@c.d=e", "~team", "data@x=y"]
    values = ["params.top=1", "+data.calib.samples=64", "++a.b=c", "~a.b"]
    assert [k for k in [*chooses, *values] if _may_be_group(k)] == chooses


def test_a_configuration_may_vary_values_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("qflow.hydra.sweep.sweep", lambda *given: seen.append(given[2]))
    with initialized(Path("conf").resolve()):
        loader, master = running()
    sweeper = QflowSweeper(params={"params.top": "1,2"})
    context = HydraContext(config_loader=loader, callbacks=Callbacks())
    sweeper.setup(hydra_context=context, task_function=print, config=master)
    sweeper.sweep(["board=nash-m,nash-e"])
    # what the command line says comes last, and counts
    assert seen == [["params.top=1,2", "board=nash-m,nash-e"]]
