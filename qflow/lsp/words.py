"""words: what may be written where: fields of blocks, values of fields, names of every kind."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from qflow import march
from qflow.compile import builtin, facts, qfields, words
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.lsp.analysis import Analysis
from qflow.lsp.definition import imported
from qflow.lsp.names import DATA, PARAM, QCONFIG, alias_of, definitions, params

FIELDS: Mapping[str, tuple[str, ...]] = {
    "model": ("entry", "file", "args", "checkpoint", "trace", "input", "output", "example", "seed",
              "tolerance"),
    "target": ("march", "profile", "unlisted", "emulation", "colour"),
    "data": ("loader", "source", "samples", "batch", "seed", "metric", "keys", "preprocess",
             "args"),
    "sensitivity": ("data", "metric", "candidate", "table", "output", "samples"),
    "export": ("layout", "dtype", "opset"),
    "stage": (
        "optimizer", "scheduler", "loss", "lr", "validate", "metric", "patience", "keep", "method",
    ),
}  # fmt: skip
"""By kind of block; those of a qconfig are asked of its observers."""
_EXTENSIONS: Mapping[str, str] = {
    "profile": "emulation.profiles",
    "metric": "analysis.metrics",
    "optimizer": "engine.optimizers",
    "scheduler": "engine.schedulers",
    "loss": "engine.losses",
    "method": "engine.methods",
}
"""Fields whose value is the name of an extension."""
_FIXED: Mapping[str, tuple[str, ...]] = {
    "unlisted": ("error", "float"),
    "emulation": ("integer",),
    "trace": ("symbolic", "example"),
    "keep": ("best", "last"),
    "scheme": ("per_channel", "per_tensor"),
}
PARAM_TYPES = ("int", "float", "bool", "dtype", "path", "string", *words.TYPES)


def fields(body: str, known: Analysis) -> tuple[tuple[str, str], ...]:
    """Fields of a block, each with a word on it."""
    if body == "qconfig":
        return tuple(_qconfig_fields())
    if body == "sweep":
        return tuple((p.name, f"param {p.type}") for p in params(known.partial))
    return tuple((name, "field") for name in FIELDS.get(body, ()))


def _qconfig_fields() -> Iterable[tuple[str, str]]:
    for part in qfields.PARTS:
        for name in qfields.CORE:
            yield f"{part}.{name}", "field"
        settings: dict[str, list[str]] = {}
        for observer in facts.known(qfields.OBSERVERS):
            for name, _, _ in facts.settings(qfields.OBSERVERS, observer):
                settings.setdefault(name, []).append(observer)
        for name in sorted(settings.keys() - set(qfields.CORE)):
            yield f"{part}.{name}", f"of {', '.join(settings[name])}"
    yield "out.dtype", "field"
    yield "base", "field"


def values(field: str, body: str, known: Analysis) -> tuple[tuple[str, str], ...]:
    """What a field may be set to, besides text and numbers: words, and params."""
    last = field.rpartition(".")[2]
    found: list[tuple[str, str]] = []
    if last == "observer":
        found += _said(facts.known(qfields.OBSERVERS), "observer")
    elif last == "fake_quant":
        found += _said(facts.known("quantization.learned"), "learned scale")
    elif last == "dtype" and body != "export":
        found += _said(DTYPES, "dtype")
    elif field == "march":
        found += _said(march.names(), "march")
    elif field in ("base", "candidate"):
        found += qconfigs(known)
    elif field in ("data", "validate"):
        found += blocks(known, DATA)
    elif body == "sensitivity" and field == "metric":
        found += _said(facts.known("analysis.similarity"), "similarity")
    elif field in _EXTENSIONS:
        found += _said(facts.known(_EXTENSIONS[field]), field)
    elif last in _FIXED:
        found += _said(_FIXED[last], "value")
    return (*found, *blocks(known, PARAM))


def qconfigs(known: Analysis) -> tuple[tuple[str, str], ...]:
    """Every qconfig that a rule may use."""
    typed = [p.name for p in params(known.partial) if p.type == "qconfig"]
    return (
        *blocks(known, QCONFIG),
        *_said(builtin.names(), "built in"),
        *_said(typed, "param qconfig"),
    )


def blocks(known: Analysis, kind: str) -> tuple[tuple[str, str], ...]:
    """Names of blocks of a kind: of the file, and of those it imports behind their alias."""
    found = [(m.name, kind) for m in definitions(known.partial) if m.kinds == (kind,)]
    for use in (item for item in known.partial.items if isinstance(item, syntax.Use)):
        other = imported(use, known.sources)
        for m in definitions(other) if other else ():
            if m.kinds == (kind,):
                found.append((f"{alias_of(use)}.{m.name}", f"{kind} of {use.path}"))
    return tuple(found)


def addresses(known: Analysis) -> tuple[tuple[str, str], ...]:
    """Addresses of the lock, then the globs that cover more than one of them."""
    modules = known.lock.inventory.modules if known.lock else ()
    found = [(m.address, m.op) for m in modules]
    below: dict[str, int] = {}
    for address, _ in found:
        parts = address.split(".")
        for size in range(1, len(parts)):
            parent = ".".join(parts[:size])
            below[parent] = below.get(parent, 0) + 1
    globs = [(f"{parent}.**", f"{count} addresses") for parent, count in sorted(below.items())]
    return (*found, *((g, c) for g, c in globs if not c.startswith("1 ")), ("**", "all"))


def outputs(known: Analysis) -> tuple[tuple[str, str], ...]:
    return tuple((f"output.{n}", "output") for n, _ in blocks(known, "output"))


def files(known: Analysis) -> tuple[tuple[str, str], ...]:
    """Other programs in the folder, as `use` names them."""
    folder = known.path.parent
    found = sorted(p for p in folder.glob("*.qf") if p != known.path) if folder.is_dir() else []
    nested = sorted(folder.glob("*/*.qf"))[:100] if folder.is_dir() else []
    return _said((_relative(p, folder) for p in (*found, *nested)), "file")


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _said(names: Iterable[str], what: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, what) for name in names)
