"""Locks of format 1 are read as they were written, and refused when they were changed."""

import pytest

from qflow.diagnostics import QflowError
from qflow.plan.inventory import Edge, Inventory, Module
from qflow.plan.lock import FileFact, Lock, digest, render
from qflow.plan.lock_reader import parse

D = digest(b"x")
TEXT = f"""\
qflow-lock 1
file     nets.py                             {D}
weights  "a b.bin"                           {D}  12 bytes
traced   {D}
model    nets:digits                         sha256:99ec5ed26e6e05bb
input    image                               input             input           [2,1,8,8]
module   stem.conv                           Conv2d            conv2d          [2,4,8,8]         weights=36 macs=2304  "1->4 k3"
module   twice                               Linear            linear          [2,10]            calls=2
output   output.logits                       output            output          [2,10]
edge     image                               stem.conv         0
edge     stem.conv                           twice             0
edge     twice                               output.logits     0
edge     twice                               twice             0
"""
MODULES = (
    Module("image", "input", "input", (2, 1, 8, 8)),
    Module("stem.conv", "Conv2d", "conv2d", (2, 4, 8, 8), 1, "1->4 k3", 36, 2304),
    Module("twice", "Linear", "linear", (2, 10), 2),
    Module("output.logits", "output", "output", (2, 10)),
)
EDGES = (
    Edge("image", "stem.conv", 0),
    Edge("stem.conv", "twice", 0),
    Edge("twice", "twice", 0),
    Edge("twice", "output.logits", 0),
)
LOCK = Lock(
    Inventory("nets:digits", MODULES, EDGES),
    (FileFact("file", "nets.py", D), FileFact("weights", "a b.bin", D, 12)),
    D,
)


def text() -> str:
    """With the digest that such a lock has: over the lines below `model`, spaces apart."""
    below = TEXT.partition("model ")[2].split("\n", 1)[1]
    own = "".join(" ".join(line.split()) + "\n" for line in below.splitlines())
    return TEXT.replace("sha256:99ec5ed26e6e05bb", digest(own.encode()))


def test_it_is_read() -> None:
    assert parse(text(), "x.qf.lock") == LOCK
    assert parse(render(LOCK), "x.qf.lock") == LOCK
    assert render(LOCK).startswith("qflow-lock 2\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[2,4,8,8]", "[2,5,8,8]", "the digest of the `model` line"),
        ("edge     twice                               twice             0\n", "", "the digest"),
        ("edge     twice ", "egde     twice ", "no kind of line"),
        ("edge     image ", "edge     imgae ", "names `imgae`"),
        ("nets:digits", "nets:digits x", "one entry point and one digest"),
        ("model ", "moddel ", "no kind of line"),
    ],
)
def test_damage(old: str, new: str, said: str) -> None:
    assert old in text()
    with pytest.raises(QflowError) as caught:
        parse(text().replace(old, new, 1), "x.qf.lock")
    (finding,) = caught.value.diagnostics
    assert finding.code == "QF301"
    assert said in finding.message


def test_a_model_line_without_a_digest_is_damage() -> None:
    lines = [
        line if not line.startswith("model") else "model nets:digits"
        for line in text().splitlines()
    ]
    with pytest.raises(QflowError):
        parse("\n".join(lines), "x.qf.lock")
