"""lock: what is written is read back exactly, and what was damaged is not read at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qflow.diagnostics import Diagnostic, QflowError
from qflow.plan.inventory import Edge, Inventory, Module
from qflow.plan.lock import FIRST, FileFact, Lock, digest, lock_path, read, render
from qflow.plan.lock_chain import END, chained
from qflow.plan.lock_reader import parse
from tests.compile.models import of_entry

DIGITS = Lock(
    of_entry("nets:digits"),
    (
        FileFact("file", "nets.py", digest(b"n"), part="Net"),
        FileFact("file", "table.txt", digest(b"x")),
        FileFact("weights", "a b.bin", digest(b"y"), 12),
    ),
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
    part = st.one_of(st.just(""), words)
    file = st.builds(FileFact, st.just("file"), words, st.just(digest(b"a")), st.just(0), part)
    weights = st.builds(FileFact, st.just("weights"), words, st.just(digest(b"b")), counts)
    facts = draw(
        st.lists(st.one_of(file, weights), max_size=3, unique_by=lambda f: (f.path, f.part))
    )
    files = tuple(sorted(facts, key=lambda f: (f.kind, f.path, f.part)))
    traced = draw(st.sampled_from(["", digest(b"t")]))
    return Lock(Inventory(draw(words), modules, edges), files, traced)


@given(locks())
def test_what_is_written_is_read_back(lock: Lock) -> None:
    text = render(lock)
    assert parse(text, "x.qf.lock") == lock
    assert parse("\ufeff" + text.rstrip("\n").replace("\n", "\r\n"), "x.qf.lock") == lock


def test_form_of_the_text() -> None:
    lines = render(DIGITS).splitlines()
    assert lines[0] == "qflow-lock 2"
    assert lines[1::2] == [""] * (len(lines) // 2), "git merges no changes of neighbours"
    facts = [line.split()[:-1] for line in lines[2::2]]
    assert facts[0] == ["code", "nets.py", "Net", digest(b"n")]
    assert facts[1] == ["file", "table.txt", digest(b"x")]
    assert lines[6].startswith('weights  "a b.bin"')
    assert facts[2][-2:] == ["12", "bytes"]
    modules = [words[1] for words in facts if words[0] == "module"]
    assert modules[:3] == ["quant", "stem.conv", "stem.bn"]
    assert next(f for f in facts if f[:2] == ["module", "stem.bn"])[-2:] == ["<-", "stem.conv"]
    assert facts[-1] == ["end"]


def test_a_new_module_changes_one_other_line() -> None:
    """The line behind it, which says what stands before."""
    inventory = DIGITS.inventory
    longer = Module("a.very.long.address.that.is.wider.than.any.column", "Conv2d", "conv2d")
    for place in (0, 5, len(inventory.modules)):
        modules = [*inventory.modules]
        modules.insert(place, longer)
        more = Inventory(inventory.model, tuple(modules), inventory.edges)
        before = render(DIGITS).splitlines()
        after = set(render(Lock(more, DIGITS.files, DIGITS.traced)).splitlines())
        assert len([line for line in before if line not in after]) == 1


def test_a_change_of_facts_changes_one_line() -> None:
    modules = list(DIGITS.inventory.modules)
    modules[3] = replace(modules[3], shape=(9, 9), detail="other")
    changed = Inventory(DIGITS.inventory.model, tuple(modules), DIGITS.inventory.edges)
    before = render(DIGITS).splitlines()
    after = render(Lock(changed, DIGITS.files, DIGITS.traced)).splitlines()
    assert len([1 for a, b in zip(before, after, strict=True) if a != b]) == 1


def test_edges_may_be_given_in_any_order() -> None:
    inventory = DIGITS.inventory
    reversed_ = Inventory(inventory.model, inventory.modules, inventory.edges[::-1])
    assert reversed_ == inventory


def test_comments_and_empty_lines_are_skipped() -> None:
    text = render(DIGITS).replace("\nmodule", "  # by hand\n\n# a line\nmodule", 1)
    assert parse(text, "x.qf.lock") == DIGITS
    assert parse(text.replace("\n\n", "\n"), "x.qf.lock") == DIGITS


def refused(text: str) -> Diagnostic:
    with pytest.raises(QflowError) as caught:
        parse(text, "sub/x.qf.lock")
    (finding,) = caught.value.diagnostics
    assert finding.code == "QF301"
    assert finding.help == "write it again: `qflow lock sub/x.qf`"
    return finding


def test_every_single_change_is_damage() -> None:
    """One character of any word, wherever it stands."""
    text = render(DIGITS)
    for place, char in enumerate(text):
        if char in " \n":
            continue
        other = "x" if char != "x" else "y"
        refused(text[:place] + other + text[place + 1 :])


def test_a_line_that_is_missing_doubled_or_moved_is_damage() -> None:
    lines = render(DIGITS).splitlines()
    for place in range(2, len(lines), 2):
        refused("\n".join(lines[:place] + lines[place + 1 :]))
        refused("\n".join([*lines[:place], lines[place], *lines[place:]]))
        swapped = list(lines)
        other = place - 2 if place > 2 else place + 2
        swapped[place], swapped[other] = swapped[other], swapped[place]
        refused("\n".join(swapped))


def test_a_cut_lock_is_damaged() -> None:
    text = render(DIGITS)
    for cut in (0, 3, 20, 200, 900, len(text) - 3):
        refused(text[:cut])
    refused(text + "\n" + text.split("\n")[2])


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("qflow-lock 2", "qflow-lock 3", 1, "first line"),
        ("\nmodule   quant ", "\n<<<<<<< ours\nmodule   quant ", 15, "does not end with its check"),
        ("[2,1,8,8]", "[2,3,8,8]", 13, "it was changed"),
        ('"4->4 k3"', '"4->4 k3', 17, "cannot read"),
        ("BatchNorm2d ", "BatchNorm2d x ", 19, "behind `module stem.conv`"),
    ],
)  # fmt: skip
def test_damage_is_located(old: str, new: str, line: int, said: str) -> None:
    text = render(DIGITS)
    assert old in text
    finding = refused(text.replace(old, new, 1))
    assert said in finding.message
    assert finding.at is not None
    assert finding.at.line == line


def written(*lines: str) -> str:
    """A lock somebody else's program wrote: every check is right."""
    return "\n".join(
        [FIRST, *("  ".join(c) for c in chained([*(tuple(line.split()) for line in lines), END]))]
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("input a input input [1]",), "there is no `model` line"),
        (("model m", "model m"), "one entry point"),
        (("model m n",), "one entry point"),
        (("wrong 1",), "no kind of line"),
        (("file a b c",), "a path and a digest"),
        (("file a sha256:12",), "no sha256"),
        (("code a b",), "a path, a name and a digest"),
        ((f"weights a {digest(b'')} many bytes",), "size in bytes"),
        (("model m", "input a input input [1"), "no shape"),
        (("model m", "output a input input [1]"), "cannot have the operator"),
        (("model m", "module a A conv2d [1]", "module a A conv2d [1]"), "occurs twice"),
        (("model m", "module a A conv2d [1] <- b"), "names `b`, which has no line"),
        (("model m", "module a A conv2d [1] weights=x"), "neither a count"),
        (("model m", "module a A"), "belong here"),
    ],
)  # fmt: skip
def test_what_no_lock_says(lines: tuple[str, ...], said: str) -> None:
    assert said in refused(written(*lines)).message


@given(st.text(max_size=60))
def test_any_text_is_refused(text: str) -> None:
    refused(text)
    refused(f"{FIRST}\n{text}")


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
