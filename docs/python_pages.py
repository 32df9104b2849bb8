"""Reference pages of the Python API: every public name with its signature and its docstring."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

from qflow.plan.plan import Observed, TensorPlan
from qflow.quantization.deciding import Setter
from qflow.quantization.qconfig import QConfig
from qflow.quantization.setters.default import DefaultSetter

FLOW = (
    "qflow",
    "qflow.march.current",
    "qflow.quantization",
    "qflow.qat_mode",
    "qflow.tracing",
    "qflow.analysis",
    "qflow.export",
)
QCONFIGS = (
    "qflow.quantization.qconfig",
    "qflow.quantization.field_observers",
    "qflow.quantization.default_qconfigs",
    "qflow.quantization.qconfig_template",
    "qflow.quantization.qconfig_setter",
)
MODULES = ("qflow.nn", "qflow.nn.quantized", "qflow.functional")


def page(modules: tuple[str, ...]) -> Iterator[str]:
    """One section per module, one entry per public name."""
    for name in modules:
        module = import_module(name)
        names = public(module)
        yield f"## `{name}`\n\n{_about(module)}\n\n"
        found = {n: getattr(module, n) for n in names}
        for entry, value in found.items():
            said = getattr(value, "__name__", entry)
            if said != entry and found.get(said) is value:
                yield f"### `{entry}`\n\nAnother name of `{said}`.\n\n"
            elif inspect.isclass(value) or inspect.isfunction(value):
                yield from described(entry, value)
        yield from constants({n: v for n, v in found.items() if not callable(v)})


def _about(module: ModuleType) -> str:
    """The docstring of a module without the name it begins with."""
    text = inspect.cleandoc(module.__doc__ or "").partition(": ")[2]
    return text[:1].upper() + text[1:]


def public(module: ModuleType) -> list[str]:
    """What a module is there for: `__all__`, the names it loads lazily, or what it defines."""
    lazy = [n for n in vars(module).get("_HOME", {}) if not n.startswith("_")]
    listed = getattr(module, "__all__", None) or lazy
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    names = listed or [n for n in own if not n.startswith("_")]
    return sorted(n for n in set(names) if not inspect.ismodule(getattr(module, n)))


def described(name: str, value: Any) -> Iterator[str]:
    yield f"### `{name}`\n\n"
    if text := signature(name, value):
        yield f"```python\n{text}\n```\n\n"
    doc = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    if doc and not doc.startswith(f"{value.__name__}("):
        yield f"{inspect.cleandoc(doc)}\n\n"
    if inspect.isclass(value):
        yield from methods(value)


def methods(cls: type) -> Iterator[str]:
    """Public methods and properties that say what they do."""
    rows = []
    for name, value in vars(cls).items():
        function = next(
            (f for a in ("fget", "func", "__func__") if (f := getattr(value, a, None))), value
        )
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        shown = " ".join(signature(name, function).split())
        if not isinstance(value, (property, cached_property)):
            name = shown.replace("( ", "(").replace(", )", ")")
        rows.append(f"- `{name}`: {' '.join(inspect.cleandoc(function.__doc__).split())}\n")
    if rows:
        yield "".join((*rows, "\n"))


def signature(name: str, value: Any) -> str:
    """As the source has it, so that it is the same on every Python; empty for what has none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    except (OSError, TypeError):
        return ""
    if isinstance(tree, ast.FunctionDef):
        return _call(name, tree)
    assert isinstance(tree, ast.ClassDef)
    made = [s for s in tree.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"]
    if made:
        return _call(name, made[0])
    fields = [ast.unparse(s) for s in tree.body if isinstance(s, ast.AnnAssign)]
    # an enumeration or a plain class is not called with its fields
    is_data = any("dataclass" in ast.unparse(d) for d in tree.decorator_list)
    return _wrapped(name, [f for f in fields if "ClassVar" not in f]) if is_data else ""


def _call(name: str, tree: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(tree.returns)}" if tree.returns is not None else ""
    # what makes an object returns None
    parts = (p for p in _split(ast.unparse(tree.args)) if p not in ("self", "cls"))
    shown = [re.sub(r"^(\w+: [^=]*)=", r"\1 = ", p) for p in parts]
    return _wrapped(name, shown, returns if name == tree.name else "")


def _split(arguments: str) -> list[str]:
    """At the commas outside of brackets and quotes."""
    parts, depth, start, quote = [], 0, 0, ""
    for i, c in enumerate(arguments):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(arguments[start:i].strip())
            start = i + 1
    return [*parts, arguments[start:].strip()] if arguments else []


def _wrapped(name: str, parts: list[str], returns: str = "") -> str:
    line = f"{name}({', '.join(parts)}){returns}"
    if len(line) <= 88:
        return line
    return f"{name}(\n" + "".join(f"    {p},\n" for p in parts) + f"){returns}"


def constants(values: dict[str, Any]) -> Iterator[str]:
    """Predefined qconfigs and setters as tables."""
    qconfigs = {n: v for n, v in values.items() if isinstance(v, QConfig)}
    if qconfigs:
        yield "| qconfig | output | weight |\n|---|---|---|\n"
        for name, value in qconfigs.items():
            yield f"| `{name}` | {_part(value.output_plan)} | {_part(value.weight_plan())} |\n"
        yield "\n"
    setters = {n: v for n, v in values.items() if isinstance(v, Setter)}
    if setters:
        yield "| setter | outputs | convolutions, linears, matmuls |\n|---|---|---|\n"
        for name, value in setters.items():
            if not isinstance(value, DefaultSetter):
                yield f"| `{name}` | {inspect.cleandoc(type(value).__doc__ or '')} | |\n"
                continue
            gemm = _part(value.gemm.output_plan) if value.gemm else "the same"
            yield f"| `{name}` | {_part(value.rest.output_plan)} | {gemm} |\n"
        yield "\n"


def _part(plan: TensorPlan | None) -> str:
    if plan is None:
        return "no grid"
    if isinstance(plan.source, Observed):
        says = (f"{key} = {value.value}" for key, value in plan.source.settings)
        how = ", ".join((f"`{plan.source.observer.value}`", *says))
    else:
        how = "given"
    parts = [f"{plan.dtype.value}", how]
    parts += [f"learned by `{plan.learned.value}`"] if plan.learned else []
    parts += ["stays where calibration put it"] if plan.fix_scale else []
    return ", ".join(parts)
