"""The march of the process: set once, named by constants, required where it is needed."""

import subprocess
import sys
import threading

import pytest

import qflow
from qflow import march as marches
from qflow.diagnostics import QflowError
from qflow.march import March, current


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_set", None)


def test_every_march_file_is_a_constant() -> None:
    for name in marches.names():
        assert getattr(March, name.upper().replace("-", "_")) == name
    assert qflow.March.NASH_M == "nash-m"
    assert qflow.March is March


def test_a_constant_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"March\.NASH_X.*March\.NASH_M"):
        _ = March.NASH_X
    with pytest.raises(AttributeError, match=r"no march `March\.Bayes`; the nearest: March\."):
        _ = March.Bayes
    # what is no constant is an attribute like any other
    with pytest.raises(AttributeError, match="has no attribute `nash_m`"):
        _ = March.nash_m


def test_set_and_get() -> None:
    assert qflow.get_march() is None
    qflow.set_march(March.NASH_M)
    assert qflow.get_march() == marches.get_march() == "nash-m"
    qflow.march.set_march(marches.load("nash-e"))
    assert qflow.get_march() == "nash-e"


def test_another_thread_sees_it() -> None:
    qflow.set_march("nash-e")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(qflow.get_march()))
    thread.start()
    thread.join()
    assert seen == ["nash-e"]


def test_an_unknown_march_names_the_nearest() -> None:
    with pytest.raises(QflowError, match="QF110: there is no march `nash_m`") as caught:
        qflow.set_march("nash_m")
    assert "`nash-m`" in caught.value.diagnostics[0].notes[0]
    assert qflow.get_march() is None


def test_with_march_holds_for_one_call() -> None:
    @marches.with_march("nash-e")
    def inside() -> tuple[str | None, str]:
        return qflow.get_march(), current.required().name

    qflow.set_march("nash-m")
    assert inside() == ("nash-e", "nash-e")
    assert qflow.get_march() == "nash-m"
    assert inside.__name__ == "inside"
    with pytest.raises(QflowError, match="QF110"):
        marches.with_march("nope")


def test_with_march_ends_with_an_error_too() -> None:
    @marches.with_march("nash-e")
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert qflow.get_march() is None


def test_no_march_says_what_to_call() -> None:
    with pytest.raises(QflowError, match="QF251") as caught:
        current.required()
    assert "set_march" in caught.value.diagnostics[0].help
    assert current.required("nash-e").name == "nash-e"
    assert current.required(marches.load("generic")).name == "generic"


def test_the_package_is_light_and_lazy() -> None:
    code = (
        "import sys, qflow\n"
        "assert qflow.March.NASH_M == 'nash-m' and qflow.dtype.qint8.bits == 8\n"
        "qflow.set_march('nash-m')\n"
        "assert 'torch' not in sys.modules\n"
        "assert {'quantization', 'set_march', 'nn', 'export'} <= set(dir(qflow))\n"
        "try: qflow.nope\n"
        "except AttributeError as e: print(e)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "`qflow` has no attribute `nope`" in done.stdout
