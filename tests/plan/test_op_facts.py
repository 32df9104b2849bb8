"""Facts of operators: what their classes say, read without importing them a second time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qflow
from qflow import registry
from qflow.emulation.op import Op
from qflow.plan import op_facts

PACKAGE = Path(qflow.__file__).parent


def fresh(code: str, **environment: str) -> object:
    """What a new process prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{code}"],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", registry.names(op_facts.KIND))
def test_each_says_what_its_class_says(name: str) -> None:
    cls = registry.load(op_facts.KIND, name)
    assert op_facts.role(name) == cls.role
    assert op_facts.pattern_word(name) == cls.pattern_word
    assert op_facts.shares_scale(name) is cls.shares_scale
    assert op_facts.rearranges(name) is cls.rearranges
    assert op_facts.weight_axis(name) == cls.weight_axis
    assert op_facts.gives_indices(name) is cls.gives_indices
    assert op_facts.index_part(name) == cls.index_part
    assert op_facts.runs_on_floats(name) is (cls.real is not Op.real)
    assert op_facts.integer(name) is (cls.lower is not Op.lower)


def test_of_what_there_is_not_nothing_is_said() -> None:
    assert op_facts.role("unknown") == op_facts.pattern_word("unknown") == ""
    assert op_facts.weight_axis("no_such_operator") is None
    assert not op_facts.integer("no_such_operator")


def test_what_is_kept_depends_on_every_file_that_operators_are_made_of() -> None:
    code = (
        "from importlib import import_module\n"
        "from qflow import registry\n"
        "for name in registry.names('emulation.ops'): registry.load('emulation.ops', name)\n"
        "print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.startswith('qflow')]))"
    )
    imported = fresh(code)
    assert isinstance(imported, list)
    assert {Path(file) for file in imported} - set(op_facts.files()) == set()


USED = (
    "sys.dont_write_bytecode = False\n"
    "from qflow.plan import op_facts\n"
    "said = op_facts.role('conv2d'), op_facts.weight_axis('conv2d')\n"
    "print(json.dumps([said, 'qflow.emulation.ops.conv2d' in sys.modules]))"
)


def test_a_second_process_imports_no_operator(tmp_path: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    assert fresh(USED, **cache) == [["gemm", 0], True]
    assert fresh(USED, **cache) == [["gemm", 0], False]


def test_an_operator_of_another_package_is_asked_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Mine(Op):
        role = "pool"
        weight_axis = 3

    names, load = registry.names, registry.load
    monkeypatch.setattr(registry, "names", lambda kind: (*names(kind), "mine"))
    monkeypatch.setattr(registry, "load", lambda kind, n: Mine if n == "mine" else load(kind, n))
    monkeypatch.setattr(registry, "installed", lambda kind: {"mine": None})
    op_facts._facts.cache_clear()
    try:
        assert (op_facts.role("mine"), op_facts.weight_axis("mine")) == ("pool", 3)
        assert not op_facts.integer("mine")
    finally:
        op_facts._facts.cache_clear()
