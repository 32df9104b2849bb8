"""Targets of other toolchains, by the march and by a profile the target names."""

import pytest

from tests.engine.conftest import Project


@pytest.mark.parametrize(
    ("march", "profile"),
    [
        ("tflite", ""),
        ("tflite", "xnnpack"),
        ("tosa", "tosa.double"),
        ("cv18xx", ""),
        ("bm1684", ""),
    ],
)
def test_a_whole_run(project: Project, march: str, profile: str) -> None:
    named = f"; profile = {profile}" if profile else ""
    text = project.program.read_text().replace('march = "nash-m"', f'march = "{march}"{named}')
    project.write("tiny.qf", text[: text.index("export onnx")])
    assert project.lock().code == 0
    done = project.run("--set", "rounds=0")
    assert done.code == 0, done.text
    found = project.summary()
    assert found["oracle"]["mismatches"] == 0 < found["oracle"]["integers"]
    assert found["integer"]["coverage"]["operators"]["share"] == 1.0
    if profile:
        assert profile.replace(".", "_") in (project.out / "plan.txt").read_text()
