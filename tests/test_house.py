"""The rules of the house: who imports whom, where torch may be, how large a file may grow."""

import ast
import pkgutil
import re
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import qflow

PACKAGE = Path(qflow.__file__).parent
ROOT = Path(__file__).parent.parent

_BASE = {"atomic", "kept", "records", "diagnostics", "registry", "dtype", "resources", ""}
_FRONT = _BASE | {"lang", "march", "plan", "tables", "compile", "lint"}
_BACK = {"tracing", "frontends", "quantization", "emulation", "analysis", "export", "engine"}

# folder -> what it may import of qflow. Read docs/architecture.md for why.
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "atomic": set(),
    # its version stands in what it writes for other tools
    "diagnostics": {"", "records"},
    "kept": {"atomic"},
    "records": set(),
    "registry": set(),
    "dtype": set(),
    "resources": {"kept"},
    "loops": set(),
    "lang": _BASE,
    "march": _BASE,
    "plan": _BASE,
    "compile": _BASE | {"lang", "plan", "tables", "march", "lint"},
    "tables": _BASE | {"plan"},
    "lint": _BASE | {"lang", "plan", "compile", "march"},
    "tracing": _BASE | {"plan", "march"},
    # a model file becomes a module that is traced
    "frontends": _BASE | {"plan", "tracing"},
    # checks of a prepared model ask the rules
    "quantization": _BASE | {"loops", "tracing", "march", "plan", "lint"},
    "emulation": _BASE | {"loops", "quantization", "tracing", "march", "plan"},
    "analysis": _BASE | {"emulation", "quantization", "plan", "march", "tracing"},
    "export": _BASE | {"emulation", "quantization", "plan", "march", "tracing"},
    # the names scripts of the field know, on top of what does the work
    "nn": _BASE | {"quantization", "tracing", "functional"},
    "functional": _BASE | {"quantization", "tracing"},
    "qat_mode": _BASE | {"quantization", "tracing"},
    "engine": _FRONT | _BACK | {"functional", "loops"},
    "lsp": _FRONT,
    "hydra": _FRONT | {"cli", "engine", "sweep"},
    "sweep": _FRONT | {"engine"},
    "cli": _FRONT | {"cli", "engine", "lsp", "sweep"},
    "__main__": {"cli"},
}

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(qflow.__path__, "qflow.") if m.name != "qflow.__main__"
)
SOURCES = sorted(PACKAGE.rglob("*.py"))


def folder_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


FOLDERS = {
    folder: [p for p in SOURCES if folder_of(p) == folder]
    for folder in sorted({folder_of(p) for p in SOURCES})
}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def docstring(path: Path) -> str | None:
    return _read(path)[0]


def imports(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Every import of a file, wherever in the file it is."""
    return _read(path)[1]


@cache
def _read(path: Path) -> tuple[str | None, tuple[ast.Import | ast.ImportFrom, ...]]:
    tree = ast.parse(path.read_text())
    found = (n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)))
    return ast.get_docstring(tree), tuple(found)


def imported(path: Path) -> set[str]:
    """Folders of qflow that a file imports."""
    found = set()
    for node in imports(path):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module] + [f"{node.module}.{a.name}" for a in node.names]
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "qflow" and len(parts) > 1:
                known = (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file()
                found.add(parts[1] if known else "")
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_import_direction(folder: str) -> None:
    allowed = MAY_IMPORT[folder] | {folder}
    wrong = {shown(p): extra for p in FOLDERS[folder] if (extra := imported(p) - allowed)}
    assert not wrong, f"folders of qflow that these may not import: {wrong}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_relative_imports_are_not_used(folder: str) -> None:
    relative = [
        shown(p)
        for p in FOLDERS[folder]
        if any(isinstance(n, ast.ImportFrom) and n.level for n in imports(p))
    ]
    assert not relative


OF_TORCH = ("qflow.export._pt2.grids", "qflow.export._pt2.program", "qflow.export._torch.")
"""What a target of torch itself imports when it writes."""
TORCH_FREE = [
    m
    for m in MODULES
    if m.split(".")[1] in _FRONT | {"cli", "hydra", "lsp", "sweep"}
    or m.startswith(
        ("qflow.emulation.ops", "qflow.emulation.profiles", "qflow.quantization.observers")
    )
    or m
    in {
        "qflow.emulation.op",
        "qflow.emulation.graph",
        "qflow.emulation.file",
        "qflow.emulation.layout",
        "qflow.emulation.lowering",
        "qflow.emulation.runtimes.numpy",
        "qflow.quantization.prepared",
    }
    or (m.startswith(("qflow.analysis.", "qflow.export.")) and not m.startswith(OF_TORCH))
]


def test_front_half_imports_with_torch_blocked() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from importlib import import_module\n"
        f"for name in {TORCH_FREE!r}: import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_files_stay_small() -> None:
    lines = {p: len(p.read_text().splitlines()) for p in SOURCES}
    code = [n for p, n in lines.items() if p.name != "__init__.py"]
    assert {str(p.relative_to(ROOT)): n for p, n in lines.items() if n > 400} == {}
    assert statistics.median(code) < 100


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_file_says_what_it_is(folder: str) -> None:
    silent = [shown(p) for p in FOLDERS[folder] if p.stat().st_size and not docstring(p)]
    assert not silent, "these have no docstring"


@pytest.mark.parametrize("name", ["engine", "quantization", "tracing"])
def test_the_map_of_a_large_folder_names_every_file(name: str) -> None:
    folder = PACKAGE / name
    words = set(
        re.findall(r"\w+", ast.get_docstring(ast.parse((folder / "__init__.py").read_text())))
    )
    assert {p.stem for p in folder.glob("*.py")} - {"__init__"} - words == set()
