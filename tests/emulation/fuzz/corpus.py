"""Integer graphs of every kind, as files: what the changed files are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from qflow import march as marches
from qflow import registry
from qflow.diagnostics import QflowError
from qflow.emulation import file
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.layout import lay_out
from qflow.emulation.lowering import lower
from qflow.emulation.op import Op, op
from qflow.emulation.profile import profile
from tests.emulation.build import lowered, march
from tests.emulation.case import case
from tests.emulation.nets import residual_net, wandering_net
from tests.emulation.sophgo.comparing import MARCHES
from tests.emulation.sophgo.loading import prepared as of_vendor
from tests.emulation.sophgo.vectors import Case as VendorCase
from tests.emulation.sophgo.vectors import read
from tests.emulation.test_int4 import small_net as int4_net

Make = Callable[[], IntegerGraph]

NAMES = registry.names("emulation.ops")
EXAMPLES = [(n, i) for n in NAMES for i in range(len((*op(n).examples, *op(n).float_examples)))]
KINDS = (("int8", False), ("int16", False), ("uint8", True), ("int8", True))
PROFILES = tuple(profile(n).name for n in registry.names("emulation.profiles"))
SOPHGO = Path(__file__).parents[1] / "sophgo" / "data"
FLOATS = "nash-m"
"""A march for the graphs that may have float islands."""


def makers() -> list[tuple[str, Make]]:
    """Name and how to make it, of every graph that is made without tracing a network."""
    found = list(_examples())
    for rule in ("mul15", "tosa.single", "tflite.builtin"):
        found.append((f"residual {rule}", lambda r=rule: lowered(residual_net(), r)))
    found.append(("wandering", lambda: lowered(wandering_net(), "onnxruntime")))
    found.append(("residual nhwc", lambda: lay_out(lowered(residual_net()), "nhwc")))
    found.append(("int4", lambda: lowered(int4_net(), "mul15")))
    found += [(f"sophgo {c.name}", lambda c=c: _vendor(c)) for c in read(SOPHGO) if _one_batch(c)]
    return found


def networks() -> Iterator[tuple[str, Make]]:
    """The same of the networks that are traced, prepared and calibrated: seconds each."""
    from tests import networks as styles
    from tests.emulation.test_networks import converted

    for name in styles.NAMES:
        for layout in ("nchw", "nhwc"):
            yield (
                f"{name} {layout}",
                lambda n=name, at=layout: lay_out(converted(n, FLOATS, "int8")[0].graph, at),
            )


def as_bytes(make: Make, folder: Path) -> bytes | None:
    """The file of a graph; None where the profile has no such form."""
    try:
        graph = make()
    except QflowError as why:
        # a form the target does not compute, or one for which it wants grids inside
        if {d.code for d in why.diagnostics} <= {"QF502", "QF401", "QF120"}:
            return None
        raise
    path = folder / "whole.qnn"
    file.save(graph, path)
    return path.read_bytes()


def _examples() -> Iterator[tuple[str, Make]]:
    """Every example on some profile and dtype, every operator on every profile."""
    for k, (name, index) in enumerate(EXAMPLES):
        for j, kind in enumerate(KINDS):
            rule = PROFILES[(k + j * 5) % len(PROFILES)]
            yield example(name, index, rule, *kind, nhwc=bool((k + j) % 3 == 0))
    for name in NAMES:
        if op(name).integer and type(op(name)).lower is not Op.lower:
            for rule in PROFILES:
                yield example(name, 0, rule, "int8", False, nhwc=False)


def example(
    name: str, index: int, rule: str, dtype: str, shifted: bool, nhwc: bool
) -> tuple[str, Make]:
    def make() -> IntegerGraph:
        operator = op(name)
        example = (*operator.examples, *operator.float_examples)[index]
        made = case(operator, example, dtype, shifted)
        target = march() if index < len(operator.examples) else marches.load(FLOATS)
        graph = lower(made.graph, target, rule, "float").graph
        return lay_out(graph, "nhwc") if nhwc else graph

    return f"{name} {index} {dtype} {rule}{' nhwc' if nhwc else ''}", make


def _one_batch(made: VendorCase) -> bool:
    """Whether its inputs have as many samples: an integer model takes no others."""
    return len({shape[0] for shape in made.network.inputs.values()}) == 1


def _vendor(made: VendorCase) -> IntegerGraph:
    target = marches.load(MARCHES[made.processor])
    return lower(of_vendor(made), target, target.profile, "float").graph
