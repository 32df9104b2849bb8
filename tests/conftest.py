"""What every test may use, and two rules: none leaves a report of `prepare` where it was started,
and coverage follows what may reach a line for the first time.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from qflow import loops

# a thread that waits for another sleeps: spinning, two threads of each of two workers cost the suite
# a quarter of its time. It is read where torch is first imported, which is later
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ROOT = Path(__file__).parent.parent
REPORTS = ("fx_graph.txt", "model_check_result.txt", "qconfig_changelogs.txt")

TRACED = 24
"""Cases of one test that coverage follows."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Coverage doubles the time of what it follows: not of examples that are drawn, nor of most of
    the hundreds of cases of one test, evenly chosen. They reach no line that others do not.
    """
    if not config.pluginmanager.hasplugin("_cov"):
        return
    cases = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    for name, group in cases.items():
        step = -(-len(group) // TRACED)
        # tests of the same cases follow others of them
        first = len(name) % step
        drawn = hasattr(getattr(group[0], "obj", None), "hypothesis")
        for index, item in enumerate(group):
            if drawn or index % step != first:
                item.add_marker("no_cover")


@pytest.fixture(scope="module")
def two_threads() -> Iterator[None]:
    """torch on two threads, however many the tests run on."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=["compiled", "in torch"])
def both_paths(request: pytest.FixtureRequest) -> Iterator[None]:
    """With compiled loops, and without them, as where Numba is missing."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "in torch":
            patch.setattr(loops, "is_there", lambda device=None: False)
        else:
            assert loops.is_there(), "the tests need `pip install qflow[fast]`"
        yield


@pytest.fixture(autouse=True)
def no_report_is_left_behind() -> Iterator[None]:
    before = _reports()
    yield
    left = _reports() - before
    for path in left:
        path.unlink()
    assert not left, f"{', '.join(sorted(p.name for p in left))} was left here: chdir to tmp_path"


def _reports() -> set[Path]:
    return {path for name in REPORTS if (path := ROOT / name).exists()}
