"""Two branches and one lock, with git: different modules merge, the same module conflicts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.plan.code_parts import parts
from qflow.plan.inventory import Edge, Inventory, Module
from qflow.plan.lock import FileFact, Lock, read, render
from tests.compile.models import of_entry
from tests.repository import Repository

INVENTORY = of_entry("nets:digits")
CODE = (
    "class Stem:\n    k = 3\n\n\nclass Head:\n    n = 10\n\n\ndef build():\n    return Stem, Head\n"
)
Change = Callable[[Inventory], Inventory]


def lock(inventory: Inventory, code: str) -> Lock:
    found = parts(code.encode()).items()
    return Lock(inventory, tuple(FileFact("file", "nets.py", d, part=n) for n, d in found))


def facts(address: str, **changes: object) -> Change:
    """Another kernel or width of one module."""

    def change(inventory: Inventory) -> Inventory:
        modules = tuple(
            replace(m, **changes) if m.address == address else m  # type: ignore[arg-type]
            for m in inventory.modules
        )
        return Inventory(inventory.model, modules, inventory.edges)

    return change


def behind(address: str, new: str) -> Change:
    """A module between one and everything that reads it."""

    def change(inventory: Inventory) -> Inventory:
        at = next(i for i, m in enumerate(inventory.modules) if m.address == address) + 1
        modules = list(inventory.modules)
        modules.insert(at, Module(new, "ReLU", "relu", modules[at - 1].shape))
        edges = [replace(e, source=new) if e.source == address else e for e in inventory.edges]
        return Inventory(inventory.model, tuple(modules), (*edges, Edge(address, new, 0)))

    return change


def without(address: str) -> Change:
    """A module less; what read it reads what it read."""

    def change(inventory: Inventory) -> Inventory:
        modules = tuple(m for m in inventory.modules if m.address != address)
        (source,) = inventory.sources[address]
        edges = [
            replace(e, source=source) if e.source == address else e
            for e in inventory.edges
            if e.target != address
        ]
        return Inventory(inventory.model, modules, tuple(edges))

    return change


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path)
    (tmp_path / "nets.py").write_text(CODE)
    (tmp_path / "x.qf.lock").write_text(render(lock(INVENTORY, CODE)))
    found.commit("base")
    return found


def branch(repository: Repository, name: str, change: Change, code: tuple[str, str]) -> None:
    """A branch of the base that changes the model, and the lock with it."""
    repository.git("checkout", "-qb", name, "main")
    text = CODE.replace(*code)
    (repository.folder / "nets.py").write_text(text)
    (repository.folder / "x.qf.lock").write_text(render(lock(change(INVENTORY), text)))
    repository.commit(name)


STEM, HEAD = ("k = 3", "k = 5"), ("n = 10", "n = 12")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (facts("stem.conv", detail="1->4 k5"), facts("head", shape=(2, 12))),
        # neighbours, with nothing between them
        (facts("stem.conv", detail="1->4 k5"), facts("stem.bn", weights=8)),
        (behind("quant", "extra"), facts("head", shape=(2, 12))),
        (behind("quant", "extra"), behind("pool", "more")),
        (without("stem.relu"), behind("pool", "more")),
    ],
    ids=["apart", "neighbours", "new", "two new", "one less, one more"],
)
def test_different_modules_merge(repository: Repository, ours: Change, theirs: Change) -> None:
    branch(repository, "ours", ours, STEM)
    branch(repository, "theirs", theirs, HEAD)
    assert repository.merges("ours")
    code = CODE.replace(*STEM).replace(*HEAD)
    assert (repository.folder / "nets.py").read_text() == code
    # what git made of the two is what `qflow lock` writes for the merged model
    expected = lock(theirs(ours(INVENTORY)), code)
    assert read(repository.folder / "x.qf.lock") == expected
    assert (repository.folder / "x.qf.lock").read_text() == render(expected)


def test_the_same_module_conflicts(repository: Repository) -> None:
    branch(repository, "ours", facts("head", shape=(2, 11)), STEM)
    branch(repository, "theirs", facts("head", shape=(2, 12)), HEAD)
    assert not repository.merges("ours")
    with pytest.raises(QflowError, match="QF301"):
        read(repository.folder / "x.qf.lock")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        # each is right alone: what one removes the other reads
        (without("pool"), lambda i: replace(i, edges=(*i.edges, Edge("pool", "head", 1)))),
        # both add a module of the same name, at two places
        (behind("stem.conv", "extra"), behind("pool", "extra")),
    ],
    ids=["read and removed", "added twice"],
)
def test_a_wrong_merge_is_noticed(repository: Repository, ours: Change, theirs: Change) -> None:
    branch(repository, "ours", ours, STEM)
    branch(repository, "theirs", theirs, HEAD)
    if repository.merges("ours"):
        with pytest.raises(QflowError, match="QF301"):
            read(repository.folder / "x.qf.lock")


@pytest.mark.parametrize("way", ["union", "ours", "theirs"])
def test_a_conflict_resolved_without_looking_is_noticed_or_whole(
    repository: Repository, way: str
) -> None:
    """`git merge-file --union` keeps both lines of one module: never a wrong model."""
    branch(repository, "ours", facts("head", shape=(2, 11)), STEM)
    branch(repository, "theirs", facts("head", shape=(2, 12)), HEAD)
    for name in ("main", "ours", "theirs"):
        text = repository.git("show", f"{name}:x.qf.lock")
        (repository.folder / f"{name}.lock").write_text(text)
    repository.git("merge-file", f"--{way}", "ours.lock", "main.lock", "theirs.lock")
    merged = repository.folder / "ours.lock"
    if way == "union":
        with pytest.raises(QflowError, match="QF301"):
            read(merged)
        return
    head = read(merged).inventory.by_address["head"]
    assert head.shape == ((2, 11) if way == "ours" else (2, 12))
