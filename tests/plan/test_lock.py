"""lock: what is written is read back exactly, and what was damaged is not read at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.plan.inventory import Edge, Inventory, Module
from qflow.plan.lock import FileFact, Lock, digest, lock_path, read, render
from qflow.plan.lock_reader import parse
from tests.compile.models import of_entry

DIGITS = Lock(
    of_entry("nets:digits"),
    (FileFact("file", "nets.py", digest(b"x")), FileFact("weights", "a b.bin", digest(b"y"), 12)),
    digest(b"z"),
)

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
counts = st.integers(min_value=0, max_value=10**12)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    addresses = draw(st.lists(words, min_size=1, max_size=6, unique=True))
    modules = tuple(
        Module(
            address,
            draw(words),
            draw(st.sampled_from(["conv2d", "input", "output", "unknown"])),
            tuple(draw(st.lists(counts, max_size=4))),
            draw(st.integers(min_value=1, max_value=9)),
            draw(st.one_of(st.just(""), words)),
            draw(counts),
            draw(counts),
        )
        for address in addresses
    )
    edge = st.builds(
        Edge, st.sampled_from(addresses), st.sampled_from(addresses), st.integers(0, 3)
    )
    edges = tuple(draw(st.lists(edge, max_size=6, unique=True)))
    file = st.builds(FileFact, st.just("file"), words, st.just(digest(b"a")))
    weights = st.builds(FileFact, st.just("weights"), words, st.just(digest(b"b")), counts)
    files = tuple(sorted(draw(st.lists(st.one_of(file, weights), max_size=3, unique=True))))
    traced = draw(st.sampled_from(["", digest(b"t")]))
    return Lock(Inventory(draw(words), modules, edges), files, traced)


@given(locks())
def test_what_is_written_is_read_back(lock: Lock) -> None:
    text = render(lock)
    assert parse(text, "x.qf.lock") == lock
    assert parse("\ufeff" + text.rstrip("\n").replace("\n", "\r\n"), "x.qf.lock") == lock


def test_form_of_the_text() -> None:
    lines = render(DIGITS).splitlines()
    assert lines[0] == "qflow-lock 1"
    assert lines[1].split() == ["file", "nets.py", digest(b"x")]
    assert lines[2].endswith("12 bytes")
    assert lines[2].startswith('weights  "a b.bin"')
    modules = [line.split()[1] for line in lines if line.startswith("module ")]
    assert modules[:3] == ["quant", "stem.conv", "stem.bn"]
    edges = [line.split()[1:] for line in lines if line.startswith("edge ")]
    assert edges == sorted(edges)


def test_a_new_module_moves_no_other_line() -> None:
    inventory = DIGITS.inventory
    longer = Module("a.very.long.address.that.is.wider.than.any.column", "Conv2d", "conv2d")
    more = Inventory(inventory.model, (*inventory.modules, longer), inventory.edges)
    before = {line for line in render(DIGITS).splitlines() if not line.startswith("model")}
    assert before <= set(render(Lock(more, DIGITS.files, DIGITS.traced)).splitlines())


def test_edges_may_be_given_in_any_order() -> None:
    inventory = DIGITS.inventory
    reversed_ = Inventory(inventory.model, inventory.modules, inventory.edges[::-1])
    assert reversed_ == inventory


def test_comments_and_empty_lines_are_skipped() -> None:
    text = render(DIGITS).replace("\nedge", "  # by hand\n\nedge", 1)
    assert parse(text, "x.qf.lock") == DIGITS


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("qflow-lock 1", "qflow-lock 2", 1, "first line"),
        ("\nmodule   quant ", "\n<<<<<<< ours\nmodule   quant ", 7, "no kind of line"),
        ("[2,1,8,8]", "[2,1,8,", 6, "no shape"),
        ("[2,1,8,8]", "[2,3,8,8]", 1, "the digest of the `model` line"),
        ("weights=144", "weights=x", 8, "neither a count"),
        ('"4->4 k3"', '"4->4 k3', 8, "cannot read"),
        ("image                               quant", "imgae  quant", 1, "names `imgae`"),
        ("stem.bn                             BatchNorm2d", "quant  B", 1, "occurs twice"),
        ("\ninput ", "\noutput ", 6, "cannot have the operator"),
        ("12 bytes", "many bytes", 3, "size in bytes"),
        ("12 bytes", "12", 3, "size in bytes"),
        (digest(b"x"), "sha256:12", 2, "no sha256"),
        ("\nmodel ", "\nfile ", 22, "no `model` line"),
    ],
)  # fmt: skip
def test_damage_is_located(old: str, new: str, line: int, said: str) -> None:
    text = render(DIGITS)
    assert old in text
    with pytest.raises(QflowError) as caught:
        parse(text.replace(old, new, 1), "sub/x.qf.lock")
    (finding,) = caught.value.diagnostics
    assert finding.code == "QF301"
    assert said in finding.message
    assert finding.help == "write it again: `qflow lock sub/x.qf`"
    assert finding.at is not None
    # the last case is reported at the last line, wherever that is
    assert finding.at.line == (line if line != 22 else len(text.splitlines()))


@pytest.mark.parametrize("cut", [0, 3, 20, 200, 900])
def test_a_cut_lock_is_damaged(cut: int) -> None:
    with pytest.raises(QflowError):
        parse(render(DIGITS)[:cut], "x.qf.lock")


def test_paths_and_a_missing_lock(tmp_path: Path) -> None:
    assert lock_path(Path("a/x.qf")) == Path("a/x.qf.lock")
    with pytest.raises(QflowError) as caught:
        read(tmp_path / "x.qf.lock", "x.qf.lock")
    assert caught.value.diagnostics[0].code == "QF304"
    assert caught.value.diagnostics[0].help == "run `qflow lock x.qf`"
    (tmp_path / "x.qf.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(QflowError) as caught:
        read(tmp_path / "x.qf.lock")
    assert caught.value.diagnostics[0].code == "QF301"
