"""Every module imports on its own: what they need of each other goes round in no circle.

Read from the source, which takes a second: to import each of them alone takes minutes.
"""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pytest

import qflow

PACKAGE = Path(qflow.__file__).parent


def module_name(path: Path) -> str:
    parts = ("qflow", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(p): p for p in PACKAGE.rglob("*.py") if p.name != "__main__.py"}
PACKAGES = sorted(m for m, p in FILES.items() if p.name == "__init__.py")


def on_import(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those of its classes too."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from on_import(statement.orelse)
            continue
        yield statement
        for part in ("body", "orelse", "finalbody"):
            yield from on_import(getattr(statement, part, []))
        for handler in getattr(statement, "handlers", []):
            yield from on_import(handler.body)


def home(module: str, name: str) -> str:
    """The module that `from module import name` needs: a file, or where a lazy name lives."""
    if f"{module}.{name}" in FILES:
        return f"{module}.{name}"
    if "__getattr__" not in FILES[module].read_text(encoding="utf-8"):
        return module
    lives = getattr(getattr(import_module(module), name), "__module__", module)
    return str(lives) if lives in FILES else module


def needed(module: str) -> set[str]:
    """What of qflow has to be imported before `module` is."""
    found = set()
    for statement in on_import(ast.parse(FILES[module].read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names if alias.name in FILES}
        if isinstance(statement, ast.ImportFrom) and statement.module in FILES:
            found |= {home(statement.module, alias.name) for alias in statement.names}
    # Python imports the packages around a module before it; its own are under way already
    around = {package for name in found for package in _around(name)} - set(_around(module))
    return (found | around) - {module}


def _around(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def test_no_circle_of_imports() -> None:
    needs = {module: needed(module) for module in FILES}
    try:
        order = list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as circle:
        pytest.fail(f"these import each other: {' -> '.join(circle.args[1])}")
    assert set(order) == set(FILES)


def test_every_package_imports_on_its_own() -> None:
    """The same shown by doing it, at the doors: each with no other module of qflow loaded."""
    code = (
        "import sys\n"
        "from importlib import import_module\n"
        "import click, lark, numpy, rich, torch, yaml\n"
        f"for name in {PACKAGES!r}:\n"
        "    for old in [m for m in sys.modules if m.split('.')[0] == 'qflow']:\n"
        "        del sys.modules[old]\n"
        "    import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_module_imports() -> None:
    for module in sorted(FILES):
        import_module(module)
