"""A .qf file and its YAML are one Program and one plan, in both directions."""

import dataclasses
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.diagnostics import QflowError, Span
from qflow.lang import yaml
from qflow.lang.either import parse_file
from qflow.lang.parse import parse
from qflow.lang.printer import show
from qflow.lang.program import Program, program_of
from qflow.lang.yaml.respan import respan
from qflow.plan.plan import Plan
from tests.compile.test_cases import SETTINGS
from tests.lang.yaml import NOWHERE, said

ROOT = Path(__file__).parent.parent.parent.parent
KINDS = ("compile", "format", "lint", "manual", "syntax")
FILES = sorted(
    [
        *(ROOT / "pipelines").glob("*.qf"),
        *(p for kind in KINDS for p in (ROOT / "tests" / "cases" / kind).rglob("*.qf")),
    ]
)


def program_in(path: Path) -> Program | None:
    try:
        parsed = parse(path.read_text(encoding="utf-8"), "x.qf")
    except UnicodeDecodeError:
        return None
    return program_of(parsed.file) if parsed.file else None


PROGRAMS = [(p, program) for p in FILES if (program := program_in(p))]


def named(given: object) -> str:
    return given.relative_to(ROOT).as_posix() if isinstance(given, Path) else ""


@pytest.mark.parametrize(("path", "program"), PROGRAMS, ids=named)
def test_yaml_gives_the_same_program(path: Path, program: Program) -> None:
    if twice(program):
        return
    text = yaml.show(program)
    parsed = yaml.parse(text, "x.yaml")
    assert parsed.diagnostics == ()
    again = program_of(parsed.file)
    assert said(again) == said(program)
    assert yaml.show(again) == text
    # and back
    assert said(program_of(parse(show(parsed.file), "x.qf").file)) == said(program)


def twice(program: Program) -> bool:
    """What stands twice is wrong in either form, and YAML cannot even say it."""
    try:
        yaml.show(program)
    except QflowError as error:
        return {d.code for d in error.diagnostics} == {"QF114"}
    return False


def test_most_programs_have_a_yaml_form() -> None:
    assert len(PROGRAMS) > 120
    refused = [path.parent.name for path, program in PROGRAMS if twice(program)]
    assert len(refused) < 10, refused


PIPELINES = [p for p, _ in PROGRAMS if "pipelines" in p.parts]
CASES = [p for p, _ in PROGRAMS if p.parent.parent.name == "compile"]
COMPILED = [*PIPELINES, *CASES[::4]]
"""Equal programs have equal plans; enough to see that places and names play no part."""


@pytest.mark.parametrize("path", COMPILED, ids=named)
def test_yaml_gives_the_same_plan(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    for other in path.parent.iterdir():
        (folder / other.name).symlink_to(other)
    monkeypatch.chdir(folder)
    program = program_in(path)
    assert program is not None
    if twice(program):
        return
    text = yaml.show(program)
    twin = Path(path.with_suffix(".yaml").name)
    twin.write_text(text, encoding="utf-8")
    lock = path.with_name(f"{path.name}.lock")
    if lock.exists():
        Path(f"{twin.name}.lock").symlink_to(lock)
    settings = dict(SETTINGS.findall(path.read_text(encoding="utf-8")))
    first, second = front(Path(path.name), settings), front(twin, settings)
    if any(d.code == "QF116" for d in first.diagnostics):
        # files that import each other do so by name, and the twin has another
        return
    assert [d.code for d in by_code(second.diagnostics)] == [
        d.code for d in by_code(first.diagnostics)
    ]
    assert unplaced(second.plan) == unplaced(first.plan)
    for found in second.diagnostics:
        if found.at is not None and found.at.path == twin.name:
            assert found.at.line <= len(text.splitlines())


def by_code(found: tuple) -> list:
    return sorted(found, key=lambda d: d.code)


def unplaced(plan: Plan | None) -> object:
    """A plan without its places and names of files, and without what is told in order of place."""
    if plan is None:
        return None
    bare = respan(plan, lambda span: NOWHERE)
    data = dataclasses.asdict(bare)
    return {k: v for k, v in data.items() if k not in ("path", "files", "program")}


def test_a_file_is_read_by_its_suffix() -> None:
    text = "qflow: 1\nmodel: {m: {entry: 'a:b'}}\n"
    assert parse_file(text, "x.yaml").file == parse_file(text, "x.yml").file is not None
    assert parse_file(text, "x.qf").file is None
    assert isinstance(parse_file(text, "x.yaml").file.span, Span)
