"""Write docs/reference/*.md from the code; `--check` only exits 1 when a page is stale."""

import argparse
import ast
import dataclasses
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import python_pages

from qflow import cli, march, registry
from qflow.diagnostics import explaining
from qflow.diagnostics.codes import CODES
from qflow.plan import op_facts

HERE = Path(__file__).parent
HEADER = "<!-- Written by `make docs` from the code. Edit the docstrings instead. -->\n\n"


def field_docs(owner: type) -> dict[str, str]:
    """The docstring below each field of a class, inherited ones too: Python does not keep them."""
    bases = [base for base in reversed(owner.__mro__) if dataclasses.is_dataclass(base)]
    return {name: text for base in bases for name, text in own_field_docs(base).items()}


def own_field_docs(owner: type) -> dict[str, str]:
    """As `field_docs`, of what the class itself declares."""
    body = ast.parse(inspect.cleandoc(inspect.getsource(owner))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if (
            is_text
            and isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
        ):
            docs[statement.target.id] = inspect.cleandoc(str(after.value.value))
    return docs


def fields_table(owner: type) -> Iterator[str]:
    if not dataclasses.is_dataclass(owner) or not dataclasses.fields(owner):
        return
    docs = field_docs(owner)
    yield "| field | default | meaning |\n|---|---|---|\n"
    for f in dataclasses.fields(owner):
        factory = f.default_factory
        value = factory() if callable(factory) else f.default
        shown = "required" if value is dataclasses.MISSING else f"`{value!r}`"
        yield f"| `{f.name}` | {shown} | {' '.join(docs.get(f.name, '').split())} |\n"
    yield "\n"


def extensions(kind: str, settable: bool = True) -> Iterator[str]:
    """One section per extension: its docstrings, then the fields a file may set."""
    for name in registry.names(kind):
        owner = registry.load(kind, name)
        owner = owner if isinstance(owner, type) else type(owner)
        module = importlib.import_module(owner.__module__)
        texts = (module.__doc__, vars(owner).get("__doc__"))
        paragraphs = [
            inspect.cleandoc(t) for t in texts if t and not t.startswith(f"{owner.__name__}(")
        ]
        yield f"## `{name}`\n\n" + "\n\n".join((*paragraphs, *remarks(kind, name))) + "\n\n"
        if settable:
            yield from fields_table(owner)


def remarks(kind: str, name: str) -> Iterator[str]:
    """What of an extension its docstrings need not repeat."""
    if kind != "emulation.ops" or op_facts.integer(name):
        return
    if op_facts.pattern_word(name) != "bn":
        yield "*Fake-quant only*: it is prepared and trained, but has no integer form yet."


def diagnostics() -> Iterator[str]:
    """A list of all ids, then what `qflow explain` says of each."""
    yield (
        "What a finding means, why it matters and what to do. `qflow explain QF210` prints a "
        "section. Of each pair of examples the first gives the id, and the second is the same, "
        "mended: the tests run them all.\n\n"
    )
    for family, codes in explaining.by_family().items():
        yield f"**{family[0].upper()}{family[1:]}**\n\n| id | stands for |\n|---|---|\n"
        yield from (f"| [{code}](#{code.lower()}) | {CODES[code]} |\n" for code in codes)
        yield "\n"
    yield "#" + explaining.frame().replace(" frame\n", "\n").rstrip() + "\n\n"
    for code in CODES:
        if page := explaining.page(code):
            yield f"## {code}\n\n**{page.title}**\n\n{page.text}\n\n"
            yield from map(example, page.blocks)
            yield f"There is no example: {page.no_example}\n\n" if page.no_example else ""


def example(block: explaining.Block) -> str:
    language = {"script": "python", "console": "sh", "file": ""}.get(block.kind, block.kind)
    if block.kind == "file" and block.words[0].endswith(".py"):
        language = "python"
    if block.kind in explaining.SHOWN:
        return f"{explaining.heading(block)}\n\n```{language}\n{block.text}```\n\n"
    if block.kind == "file" and block.text:
        return f"With `{block.words[0]}`:\n\n```{language}\n{block.text}```\n\n"
    return ""


def pitfalls() -> Iterator[str]:
    """One section per pitfall: what it is, why, how to mend it, and who finds it."""
    yield (
        "What goes wrong most often between a float model and the board, and how it is found: by "
        "`qflow check` on a .qf file and the source of its model, by `qflow check` on a Python "
        "script (as text: nothing of it is run), by `prepare` and "
        "`qflow.quantization.check_model` on a model, by `load_checkpoint` and `qflow doctor` on a "
        "checkpoint.\n\n"
    )
    for name in (n for n in registry.names("lint") if n.startswith("qf7")):
        rule = registry.load("lint", name)
        code = name.upper()
        number, _, title = CODES[code].partition(": ")
        yield f"## {code} ({number}): {title}\n\n{inspect.cleandoc(rule.__doc__)}\n\n"
        if looks := [text for method, text in _LOOKS if hasattr(rule, method)]:
            yield f"Looked for in: {', '.join(looks)}.\n\n"
        if said_by := getattr(rule, "said_by", ()):
            yield f"In a .qf file, {' or '.join(said_by)} says it instead where it is reported.\n\n"
        yield from fields_table(rule)


_LOOKS = (
    ("check", "a .qf file"),
    ("check_model", "a model (prepared, or as a lock has it) or checkpoint"),
    ("check_script", "a Python file"),
)


def marches() -> Iterator[str]:
    for name in march.names():
        m = march.load(name)
        yield f"## `{name}`\n\n{m.about}\n\n| property | value | source |\n|---|---|---|\n"
        for key, source in m.sources:
            value = getattr(m, key)
            shown = ", ".join(value) if isinstance(value, tuple) else value
            yield f"| {key} | {shown} | {source} |\n"
        yield "\n| operator | input | weight | output | source |\n|---|---|---|---|---|\n"
        for op, s in m.ops:
            cells = (", ".join(s.input), ", ".join(s.weight), ", ".join(s.output), s.source)
            yield f"| `{op}` | {' | '.join(cells)} |\n"
        if m.floats:
            yield "\n| stays float | source |\n|---|---|\n"
            yield from (f"| `{op}` | {why} |\n" for op, why in m.floats)
        yield "\n"


def verbs() -> Iterator[str]:
    context = click.Context(cli.group, info_name="qflow", terminal_width=80)
    for name in registry.names("cli"):
        command = cli.group.get_command(context, name)
        assert command is not None
        text = command.get_help(
            click.Context(command, info_name=name, parent=context, terminal_width=80)
        )
        yield f"## `qflow {name}`\n\n```\n{text}\n```\n\n"


def ruled(kind: str, text: str) -> Callable[[], Iterator[str]]:
    """The extensions of a kind behind a sentence on what they are for."""

    def page() -> Iterator[str]:
        yield text + "\n\n"
        yield from extensions(kind, settable=False)

    return page


PAGES: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "diagnostics.md": ("Diagnostics", diagnostics),
    "observers.md": ("Observers", lambda: extensions("quantization.observers")),
    "learned.md": (
        "Learned scales",
        lambda: extensions("quantization.learned", settable=False),
    ),
    "losses.md": ("Losses", lambda: extensions("engine.losses")),
    "optimizers.md": ("Optimizers", lambda: extensions("engine.optimizers")),
    "schedulers.md": ("Schedulers", lambda: extensions("engine.schedulers")),
    "methods.md": ("Methods of a stage", lambda: extensions("engine.methods")),
    "operators.md": ("Operators", lambda: extensions("emulation.ops")),
    "profiles.md": ("Rescale profiles", lambda: extensions("emulation.profiles", settable=False)),
    "selectors.md": (
        "Selector functions",
        ruled("compile.selectors", "`match NAME(...)` in `quantize` covers what these give."),
    ),
    "metrics.md": (
        "Metrics",
        ruled("analysis.metrics", "`metric = NAME` of a `data` block: outputs against targets."),
    ),
    "similarity.md": (
        "Similarity metrics",
        ruled(
            "analysis.similarity",
            "`metric = NAME` of a `sensitivity` block, and `metrics=` of "
            "`qflow.analysis.sensitivity`: how far one tensor is from another.",
        ),
    ),
    "python.md": (
        "Python: from a model to integers",
        partial(python_pages.page, python_pages.FLOW),
    ),
    "qconfigs.md": (
        "Python: qconfigs, setters, templates",
        partial(python_pages.page, python_pages.QCONFIGS),
    ),
    "modules.md": (
        "Python: modules and functions",
        partial(python_pages.page, python_pages.MODULES),
    ),
    "measures.md": ("Measures of checks", lambda: extensions("analysis.measures", settable=False)),
    "exports.md": ("Export targets", lambda: extensions("export")),
    "launchers.md": (
        "Launchers",
        lambda: extensions("sweep.launchers"),
    ),
    "samplers.md": (
        "Samplers",
        lambda: extensions("sweep.samplers", settable=False),
    ),
    "marches.md": ("Marches", marches),
    "pitfalls.md": ("Pitfalls", pitfalls),
    "verbs.md": ("Verbs", verbs),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, (title, page) in PAGES.items():
        path = HERE / "reference" / name
        text = HEADER + f"# {title}\n\n" + "".join(page()).rstrip() + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print(f"{'stale' if check else 'written'}: {', '.join(stale) or 'nothing'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
