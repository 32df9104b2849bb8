"""The frame of the command line: verbs by file name, exit codes, errors of all kinds."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest

from qflow import cli, registry
from qflow.cli import _options, _report, main
from qflow.diagnostics import EXIT, Diagnostic, QflowError, Span

Verb = Callable[..., object]


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Verb], None]:
    """Makes a function the verb `probe`, with the shared options."""

    def install(function: Verb) -> None:
        module = ModuleType("qflow.cli.probe")
        command = click.command(name="probe")(_options.shared_options(function))
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "qflow.cli.probe", module)
        names = registry.names
        monkeypatch.setattr(
            registry, "names", lambda kind: ("fmt", "probe") if kind == "cli" else names(kind)
        )

    return install


def raising(error: BaseException) -> Verb:
    def function(settings: dict[str, str], output_format: str) -> None:
        raise error

    return function


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == EXIT.yes
    assert capsys.readouterr().out.startswith("qflow, version ")


def test_every_verb_explains_itself_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in registry.names("cli"):
        assert main([name, "--help"]) == EXIT.yes
        text = capsys.readouterr().out
        assert f"Usage: qflow {name} " in text
        assert f"Examples:\n    qflow {name}" in text


def test_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == EXIT.yes
    assert "fmt" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["fmt"], ["fmt", "--nonsense"], ["--nonsense"]]
)
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == EXIT.cannot
    assert "Usage: qflow" in capsys.readouterr().err


def test_a_misspelt_verb_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmtt"]) == EXIT.cannot
    assert "Did you mean `fmt`?" in capsys.readouterr().err


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_the_verb_decides_the_exit_code(
    verb: Callable[[Verb], None], returned: int | None, code: int
) -> None:
    verb(lambda settings, output_format: returned)
    assert main(["probe"]) == code


def test_settings_reach_the_verb(verb: Callable[[Verb], None]) -> None:
    seen: dict[str, str] = {}

    def function(settings: dict[str, str], output_format: str) -> None:
        seen.update(settings)

    verb(function)
    assert main(["probe", "--set", "a=1", "--set", "b = x=y", "--set", "a=2"]) == 0
    assert seen == {"a": "2", "b": "x=y"}


@pytest.mark.parametrize("text", ["a", "=1", " =1"])
def test_a_setting_that_is_none(
    verb: Callable[[Verb], None], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(lambda settings, output_format: None)
    assert main(["probe", "--set", text]) == EXIT.cannot
    assert "is not NAME=VALUE" in capsys.readouterr().err


FOUND = Diagnostic("QF201", "matches no module", at=Span("a.qf", 1, 1, 1, 6))


def test_an_error_is_rendered_on_stderr_with_its_code(
    verb: Callable[[Verb], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(QflowError((FOUND,), EXIT.failed, {"a.qf": "qflow 1\n"})))
    assert main(["probe"]) == EXIT.failed
    out, err = capsys.readouterr()
    assert out == ""
    assert "1 | qflow 1\n  | ^^^^^\n" in err


def test_an_error_as_json_is_on_stdout(
    verb: Callable[[Verb], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(QflowError((FOUND,))))
    assert main(["probe", "--format", "json"]) == EXIT.cannot
    out, err = capsys.readouterr()
    assert json.loads(out)["diagnostics"][0]["code"] == "QF201"
    assert err == ""


def test_color_is_a_choice(
    verb: Callable[[Verb], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(QflowError((FOUND,))))
    for color, colored in (("always", True), ("never", False), ("auto", False)):
        main(["probe", "--color", color])
        assert ("\x1b[" in capsys.readouterr().err) == colored


def test_auto_color_is_a_terminal_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert _report.wants_color("auto", Terminal())
    assert not _report.wants_color("auto", io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not _report.wants_color("auto", Terminal())


def test_interrupted(verb: Callable[[Verb], None]) -> None:
    verb(raising(KeyboardInterrupt()))
    assert main(["probe"]) == EXIT.interrupted


def test_our_mistake_keeps_its_traceback(
    verb: Callable[[Verb], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(RuntimeError("oh no")))
    assert main(["probe"]) == EXIT.bug
    message = capsys.readouterr().err
    assert "qflow made a mistake: RuntimeError: oh no" in message
    assert "Traceback" not in message
    kept = Path(message.split("the traceback is in ")[1].split(";")[0])
    assert "RuntimeError: oh no" in kept.read_text()
    kept.unlink()


def test_a_verb_names_the_folder_for_the_traceback(
    verb: Callable[[Verb], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def function(settings: dict[str, str], output_format: str) -> None:
        _report.keep_crashes_in(tmp_path)
        raise RuntimeError("oh no")

    verb(function)
    assert main(["probe"]) == EXIT.bug
    assert "RuntimeError: oh no" in (tmp_path / "crash.txt").read_text()
    assert str(tmp_path / "crash.txt") in capsys.readouterr().err


def test_a_folder_that_is_gone_does_not_hide_the_mistake(
    verb: Callable[[Verb], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def function(settings: dict[str, str], output_format: str) -> None:
        _report.keep_crashes_in(tmp_path / "gone")
        raise RuntimeError("oh no")

    verb(function)
    assert main(["probe"]) == EXIT.bug
    kept = Path(capsys.readouterr().err.split("the traceback is in ")[1].split(";")[0])
    assert "oh no" in kept.read_text()
    kept.unlink()


def test_no_folder_at_all_prints_the_traceback(
    verb: Callable[[Verb], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def nowhere(text: str, path: Path | None) -> Path:
        raise OSError("read-only")

    monkeypatch.setattr(cli, "_write", nowhere)
    verb(raising(RuntimeError("oh no")))
    assert main(["probe"]) == EXIT.bug
    assert "Traceback" in capsys.readouterr().err


def test_report_reads_files_that_are_not_given(
    verb: Callable[[Verb], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.qf").write_text("qflow 1\n")
    verb(lambda settings, output_format: _report.report([FOUND]))
    assert main(["probe"]) == 0
    assert "1 | qflow 1\n" in capsys.readouterr().out
    Path("a.qf").unlink()
    assert main(["probe"]) == 0
    assert "a.qf:1:1" in capsys.readouterr().out


def test_outside_of_a_verb_the_defaults_hold() -> None:
    assert _report.session() == _report.Session()


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload,no-any-return]


def test_as_a_module() -> None:
    seen = run("-m", "qflow", "fmt", "--help")
    assert seen.returncode == 0
    assert seen.stdout.startswith("Usage: qflow fmt ")
    assert run("-m", "qflow", "nonsense").returncode == EXIT.cannot


def test_a_verb_is_loaded_without_what_others_need(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_text("qflow 1\n")
    call = f"from qflow.cli import main; main(['fmt', '--check', {str(path)!r}])"
    seen = run("-c", f"import sys; {call}; print('\\n'.join(sys.modules))")
    modules = set(seen.stdout.splitlines())
    assert {"qflow.cli.fmt", "lark"} <= modules
    assert not modules & {"torch", "numpy", "yaml", "rich", "qflow.cli.check", "qflow.cli.run"}
    assert not {m for m in modules if m.startswith(("qflow.compile", "qflow.engine", "qflow.plan"))}


@pytest.mark.skipif(os.name == "nt", reason="pipes differ")
def test_a_reader_that_is_gone_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.qf"
    path.write_text("qflow 1\n" + "model m {a=1}\n" * 3_000)
    command = f'"{sys.executable}" -m qflow fmt --diff "{path}" | head -n 1'
    seen = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert seen.stdout.startswith("---")
    assert "Traceback" not in seen.stderr
    assert "BrokenPipe" not in seen.stderr


def test_shell_completion_knows_the_verbs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_QFLOW_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "qflow fm")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert main([]) == 0
    assert "fmt" in capsys.readouterr().out
