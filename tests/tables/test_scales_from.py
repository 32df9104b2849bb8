"""`scales from` as a part of the language: in imported files, with params, in YAML, in a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from qflow.compile import outline
from qflow.compile.front import front
from qflow.diagnostics import explaining
from qflow.lang import yaml
from qflow.lang.parse import parse
from qflow.lang.program import program_of
from qflow.plan.lock import FileFact, Lock, digest, lock_path, render
from qflow.plan.plan import Fixed, Plan
from qflow.plan.why import why
from tests.compile.models import of_entry
from tests.diagnostics.examples import whole

CACHE = """TRT-8601-EntropyCalibration2
input.1: 3c008081
stem.conv: 3cb8c67e
block.first.conv: 3ce05f03
block._generated_add_0: 3d1c77f0
average: 3d23e56d
"""
RULE = 'match "**" scales from "net.cache" { map = "names.txt" }'
QUANTIZE = f"quantize {{\n  default    use w8a8\n  {RULE}\n}}\n"


def project(folder: Path, excerpt: str, tables: str = ".", *facts: FileFact) -> Path:
    """A program with its lock; the tables lie in a folder of it."""
    (folder / tables).mkdir(exist_ok=True)
    (folder / tables / "net.cache").write_text(CACHE)
    (folder / tables / "names.txt").write_text("quant input.1\n")
    path = folder / "x.qf"
    path.write_text(whole(excerpt, explaining.frame_of("qf")))
    lock_path(path).write_text(render(Lock(of_entry("nets:digits"), facts)))
    return path


def given(plan: Plan | None) -> dict[str, Fixed]:
    assert plan is not None
    sources = {m.address: m.act.source for m in plan.modules if m.act is not None}
    return {a: s for a, s in sources.items() if isinstance(s, Fixed)}


def test_the_plan_has_the_scale_its_table_and_its_entry(tmp_path: Path) -> None:
    found = front(project(tmp_path, QUANTIZE), {})
    sources = given(found.plan)
    assert sources["quant"].scale.value == 0.007843137718737125
    assert sources["quant"].origin is not None
    assert sources["quant"].origin.value == "net.cache: input.1"
    assert sources["quant"].scale.why == "line 2"
    text = why(found.plan, "quant", found.sources)
    assert "act.scale from" in text
    assert '"net.cache: input.1"' in text
    assert RULE in text


def test_a_table_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    excerpt = 'use "common/npu.qf" as npu\n\nquantize {\n  default use w8a8\n  apply npu.table\n}\n'
    path = project(tmp_path, excerpt, "common")
    common = tmp_path / "common" / "npu.qf"
    common.write_text(f'qflow 1\n\nparam t: path = "net.cache"\n\nrules table {{ {RULE} }}\n')
    assert set(given(front(path, {}).plan)) >= {"quant", "stem.conv", "average"}
    # a param of the imported file is relative to it as well
    common.write_text(common.read_text().replace('from "net.cache"', "from t"))
    found = front(path, {})
    assert set(given(found.plan)) >= {"quant", "stem.conv", "average"}
    program = found.program
    assert program is not None
    assert outline(program, {}).tables == ("common/names.txt", "common/net.cache")


def test_the_same_in_yaml(tmp_path: Path) -> None:
    path = project(tmp_path, QUANTIZE)
    parsed = parse(path.read_text(), "x.qf")
    assert parsed.file is not None
    text = yaml.show(program_of(parsed.file))
    assert 'scales_from: "net.cache", with: {map: "names.txt"}' in text
    other = tmp_path / "x.yaml"
    other.write_text(text)
    lock_path(other).write_text(lock_path(path).read_text())
    plans = [given(front(p, {}).plan) for p in (path, other)]
    assert plans[0].keys() == plans[1].keys()
    assert [s.scale.value for s in plans[0].values()] == [s.scale.value for s in plans[1].values()]


@pytest.mark.parametrize("changed", [False, True])
def test_the_lock_knows_the_table(changed: bool, tmp_path: Path) -> None:
    fact = FileFact("file", "net.cache", digest(CACHE.encode()))
    path = project(tmp_path, QUANTIZE, ".", fact)
    if changed:
        table = tmp_path / "net.cache"
        table.write_text(CACHE.replace("3cb8c67e", "3cb8c67f"))
    codes = [d.code for d in front(path, {}).diagnostics]
    assert ("QF303" in codes) is changed
    severities = {d.code: d.severity for d in front(path, {}, locked=True).diagnostics}
    assert severities.get("QF303") == ("error" if changed else None)


def test_make_lock_writes_facts_of_tables(tmp_path: Path) -> None:
    from qflow.engine.lock import _texts

    (tmp_path / "net.cache").write_bytes(CACHE.replace("\n", "\r\n").encode())
    facts = tuple(_texts(("net.cache", "gone.cache", "net.cache"), tmp_path))
    assert facts == (FileFact("file", "net.cache", digest(CACHE.encode())),)
