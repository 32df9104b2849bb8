"""places: a plan names its files relative to its own, and finds the paths of spans again."""

import pytest

from qflow.compile.front import front
from qflow.diagnostics import Span
from qflow.plan.places import Places, files_of, folder_of, shown
from qflow.plan.plan import Plan
from tests.plan.test_reader import CASES


@pytest.mark.parametrize(
    ("path", "other", "file"),
    [
        ("x.qf", "npu.qf", "npu.qf"),
        ("x.qf", "common/npu.qf", "common/npu.qf"),
        ("x.qf", "../npu.qf", "../npu.qf"),
        ("./x.qf", "./npu.qf", "npu.qf"),
        ("a/b/x.qf", "a/b/c/npu.qf", "c/npu.qf"),
        ("a/b/x.qf", "a/npu.qf", "../npu.qf"),
        ("../a/x.qf", "../npu.qf", "../npu.qf"),
        ("/a/x.qf", "/a/c/npu.qf", "c/npu.qf"),
        ("/x.qf", "/npu.qf", "npu.qf"),
    ],
)
def test_there_and_back(path: str, other: str, file: str) -> None:
    own = path.rpartition("/")[2]
    assert files_of(path, [other, path]) == (own, file)
    assert shown(folder_of(path), own) == path
    assert shown(folder_of(path), file) == other


def test_what_comes_with_qflow_has_one_name_everywhere() -> None:
    group = "qflow/conf/march/nash-m.yaml"
    for path in ("x.yaml", "conf/x.yaml", "/somewhere/else/x.yaml"):
        assert files_of(path, [group]) == ("x.yaml", group)
        assert shown(folder_of(path), group) == group


def test_a_file_far_away_is_found_again() -> None:
    """A relative program, and a configuration of an installed package."""
    places = Places(plan("a/x.qf", ["/far/away/conf/x.yaml"]))
    assert places.short(Span("/far/away/conf/x.yaml", 3, 1, 3, 2)).endswith(
        "far/away/conf/x.yaml:3"
    )


def plan(path: str, others: list[str]) -> Plan:
    found = front(CASES[0].parent.parent / "claims" / "x.qf", {}).plan
    assert found is not None
    object.__setattr__(found, "files", files_of(path, others))
    object.__setattr__(found, "folder", folder_of(path))
    return found


def test_lines_of_other_files_say_which() -> None:
    places = Places(plan("a/x.qf", ["a/npu.qf", "b/../more.qf"]))
    assert places.short(Span("a/x.qf", 12, 1, 12, 2)) == "12"
    assert places.short(Span("a/npu.qf", 12, 1, 12, 2)) == "npu.qf:12"
    assert places.short(Span("more.qf", 3, 1, 3, 2)) == "../more.qf:3"
    with pytest.raises(KeyError):
        places.short(Span("elsewhere.qf", 1, 1, 1, 1))
