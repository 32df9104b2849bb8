"""Jobs and results as files."""

import json
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.engine.job import Job, JobResult, dumps, read_job, read_result

JOB = Job("bits=int8", "plans/a.json", ".", "points/a", "cache", 2, "abc", ("plans/b.json",))
RESULT = JobResult("bits=int8", 1, ({"code": "QF402"},), (("trace", "ran", 0.5),))


def test_both_come_back_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "job").write_text(dumps(JOB))
    (tmp_path / "result").write_text(dumps(RESULT))
    assert read_job(tmp_path / "job") == JOB
    assert read_result(tmp_path / "result") == RESULT


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"format_version": "1.0"}', dumps(JOB).replace("1.0", "9.0")],
    ids=["empty", "list", "object", "null", "nothing in it", "another version"],
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    for read in (read_job, read_result):
        with pytest.raises(QflowError) as error:
            read(tmp_path / "file")
        assert error.value.diagnostics[0].code == "QF322"
        assert "--resume" in error.value.diagnostics[0].help


def test_a_missing_file_and_a_wrong_field(tmp_path: Path) -> None:
    more = json.dumps({**json.loads(dumps(JOB)), "unknown": 1})
    (tmp_path / "file").write_text(more)
    for name in ("file", "none"):
        with pytest.raises(QflowError) as error:
            read_job(tmp_path / name)
        assert error.value.diagnostics[0].code == "QF322"
