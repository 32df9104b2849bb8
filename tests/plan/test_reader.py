"""reader: the exact inverse of json.dumps; a diagnostic for everything else, never a traceback."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qflow.compile.front import front
from qflow.diagnostics import QflowError
from qflow.plan.json import dumps
from qflow.plan.plan import Plan
from qflow.plan.reader import loads

ROOT = Path(__file__).parent.parent.parent
CASES = sorted((ROOT / "tests" / "cases" / "compile").glob("*/x.qf"))
PIPELINES = sorted((ROOT / "pipelines").glob("*.qf"))


def plan_of(path: Path) -> Plan | None:
    return front(path, {}).plan


@pytest.mark.parametrize("path", PIPELINES, ids=lambda p: p.stem)
def test_pipelines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(path)
    assert plan is not None
    again = loads(dumps(plan), path.parent.as_posix())
    assert again == plan
    assert dumps(again) == dumps(plan)
    monkeypatch.chdir(ROOT)
    near = plan_of(path.relative_to(ROOT))
    assert near is not None
    assert loads(dumps(near), "pipelines") == near
    assert dumps(near) == dumps(plan)
    monkeypatch.chdir(path.parent)
    here = plan_of(Path(path.name))
    assert here is not None
    assert loads(dumps(here)) == here


def test_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    for path in CASES:
        monkeypatch.chdir(path.parent)
        plan = plan_of(Path(path.name))
        if plan is None:
            continue
        read += 1
        assert loads(dumps(plan)) == plan, path.parent.name
    assert read >= 30


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    plan = plan_of(ROOT / "tests" / "cases" / "compile" / "claims" / "x.qf")
    assert plan is not None
    return dict(json.loads(dumps(plan)))


def refused(text: str, code: str = "QF305") -> str:
    with pytest.raises(QflowError) as error:
        loads(text, name="p.json")
    (found,) = error.value.diagnostics
    assert found.code == code
    assert found.message.startswith("`p.json`")
    return found.message


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "1", "null", "{}", "[" * 100_000, '"\\ud800"', "1" * 5000, '{"a": NaN}'),
        *('{"format_version": 2}', '{"format_version": "2"}', '{"format_version": "2.0"}'),
        *('{"format_version": "2.0", "files": []}', '{"format_version": "2.0", "files": [1]}'),
    ],
)
def test_no_plan_at_all(text: str) -> None:
    refused(text)


def test_the_promise_of_the_version(data: dict[str, Any]) -> None:
    refused(json.dumps(data | {"format_version": "3.0"}), "QF306")
    refused(json.dumps(data | {"format_version": "1.1"}), "QF306")
    plan = loads(json.dumps(data))
    later = data | {"format_version": "2.999", "weather": {"sun": True}}
    later["modules"] = [m | {"mood": 1} for m in later["modules"]]
    assert loads(json.dumps(later)) == replace(plan, format_version="2.999")
    assert "`weather`" in refused(json.dumps(data | {"weather": 1})).replace("'", "`")


def test_the_message_says_where(data: dict[str, Any]) -> None:
    data = json.loads(json.dumps(data))
    data["modules"][1]["act"]["dtype"]["value"] = {"a": 1}
    assert "modules: act: dtype: value: {'a': 1} is no" in refused(json.dumps(data))


@pytest.mark.parametrize("kind", [None, "guessed", 1, ["observed"]])
def test_a_source_of_no_kind(data: dict[str, Any], kind: object) -> None:
    data = json.loads(json.dumps(data))
    data["modules"][1]["act"]["source"]["kind"] = kind
    assert "is no kind of source" in refused(json.dumps(data))


@pytest.mark.parametrize(
    "span", [[1, 1, 1, 1, 1], [-1, 1, 1, 1, 1], [0, 1, 1, 1], [0, 1.0, 1, 1, 1]]
)
def test_a_span_in_no_file(data: dict[str, Any], span: list[float]) -> None:
    refused(json.dumps(data | {"model": data["model"] | {"at": span}}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["value", "by", "kind", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
def test_any_value_at_any_place(data: dict[str, Any], draw: st.DataObject) -> None:
    """One place of a good plan holds something else: it is read to the same text, or refused."""
    changed = json.loads(json.dumps(data))
    place = changed
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw.draw(st.booleans()):
            break
        place = place[key]
    place[key] = draw.draw(JSON)
    plan, codes = None, {"QF305"}
    try:
        plan = loads(json.dumps(changed))
    except QflowError as error:
        codes = {d.code for d in error.diagnostics}
    assert codes <= {"QF305", "QF306"}
    if plan is not None:
        assert loads(dumps(plan)) == plan or "NaN" in dumps(plan)
