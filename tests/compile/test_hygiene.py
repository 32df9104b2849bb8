"""A name means what it means in its own file, whatever the importing file calls by it."""

from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qflow.compile import compile
from qflow.lang.imports import imported
from qflow.lang.parse import parse
from qflow.lang.program import Program, program_of
from qflow.lang.sources import DISK, Overlay
from tests.compile.models import of_entry

NAMES = ("w8a8", "w8a16", "body", "stem")
PARAMS = ("int8", "mse", "act", "how")
DTYPES = ("int8", "int16")
OBSERVERS = ("mse", "min_max", "percentile")
REST = """
model net {
  entry  = "nets:digits"
  input  = {image: float32[N, 1, 8, 8]}
  output = {logits: float32[N, 10]}
}
target board { march = "nash-m" }
data calib { loader = "nets.data:calibration" }
quantize { default use lib.first }
schedule { stage calibrate on calib { state "**" = calibration } }
"""


@st.composite
def items(draw: st.DrawFn) -> str:
    """Params and qconfigs, each building on those before it or on a built-in one."""
    lines = []
    dtypes, observers = list(DTYPES), list(OBSERVERS)
    for name in draw(st.lists(st.sampled_from(PARAMS), unique=True, max_size=3)):
        kind = draw(st.sampled_from(("dtype", "observer")))
        value = draw(st.sampled_from(DTYPES if kind == "dtype" else OBSERVERS))
        lines.append(f"param {name}: {kind} = {value}")
        # from here on the word is the param
        for words in (dtypes, observers):
            words[:] = [w for w in words if w != name]
        (dtypes if kind == "dtype" else observers).append(name)
    bases = ["w8a8", "w8a16"]
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        base = draw(st.sampled_from(bases))
        fields = [f"base = {base}"]
        if dtypes and draw(st.booleans()):
            fields.append(f"act.dtype = {draw(st.sampled_from(dtypes))}")
        if observers and draw(st.booleans()):
            fields.append(f"act.observer = {draw(st.sampled_from(observers))}")
        lines.append(f"qconfig {name} {{ {'; '.join(fields)} }}")
        bases.append(name)
    return "\n".join(lines) + "\n"


def program(text: str, path: str) -> Program:
    parsed = parse(text, path)
    assert parsed.file is not None, text
    return program_of(parsed.file)


def meanings(library: str, main: str) -> dict[str, dict[str, object]]:
    """Every qconfig of the library, as a program with `main` in it sees them."""
    first = "qconfig first { base = w8a8 }\n"
    sources = Overlay(DISK, {Path("lib.qf"): f"qflow 1\n\n{library}\n{first}"})
    text = f'qflow 1\n\nuse "lib.qf" as lib\n\n{main}\n{REST}'
    found = imported(program(text, "x.qf"), sources)
    assert found.diagnostics == ()
    done = compile(found.program, of_entry("nets:digits"), {})
    assert not [d for d in done.diagnostics if d.code == "QF110"], text
    return {
        name: {field: decided.value for field, decided in fields.items()}
        for name, fields in done.unit.qconfigs.items()
        if name.startswith("lib.")
    }


@settings(deadline=None, max_examples=60)
@given(items(), items())
def test_a_library_means_the_same_to_every_program(library: str, main: str) -> None:
    alone = meanings(library, "")
    # one that shadows a built-in qconfig may be its own base
    assume("lib.first" in alone)
    assert meanings(library, main) == alone
