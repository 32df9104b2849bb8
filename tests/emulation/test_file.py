"""Integer model files: what is saved comes back, and nothing damaged gets in."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from qflow.diagnostics import QflowError
from qflow.emulation.file import load, save
from qflow.emulation.layout import lay_out
from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from tests.emulation.build import PROFILES, lowered, one_op
from tests.emulation.nets import residual_net, wandering_net


def header(data: bytes) -> dict:
    size = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["qflow"])


def with_header(data: bytes, changed: dict) -> bytes:
    return save_tensors(load_tensors(data), {"qflow": json.dumps(changed)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save(lowered(residual_net(), "mul15"), tmp_path / "integer.safetensors")
    return tmp_path / "integer.safetensors"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("make", [residual_net, wandering_net])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_round_trip(make, profile: str, layout: str, tmp_path: Path) -> None:
    graph = lay_out(lowered(make(), profile), layout)
    save(graph, tmp_path / "a.safetensors")
    back = load(tmp_path / "a.safetensors")
    save(back, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    nodes = [graph.by_id[i] for i in graph.inputs]
    inputs = {n.address: np.ones(n.output.shape, np.float32) for n in nodes}
    keep = [n.id for n in graph.nodes]
    first, second = oracle.run(graph, inputs, keep), oracle.run(back, inputs, keep)
    assert all(np.array_equal(first[k], second[k]) for k in first)
    assert back.notes == graph.notes


def test_saving_leaves_nothing_beside_the_file_and_replaces_it_whole(path: Path) -> None:
    before = path.read_bytes()
    save(lowered(residual_net(), "onnx.qdq"), path)
    assert path.read_bytes() != before
    assert [p.name for p in path.parent.iterdir()] == ["integer.safetensors"]


def test_failing_to_save_keeps_the_old_file(path: Path, monkeypatch) -> None:
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        save(lowered(residual_net()), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["integer.safetensors"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(QflowError, match="QF302"):
        load(tmp_path / "none.safetensors")


def damage_version(h: dict) -> None:
    h["version"] = "3.0"


def damage_op(h: dict) -> None:
    h["nodes"][3]["op"] = "no_such_operator"


def damage_stub(h: dict) -> None:
    h["nodes"][1]["op"] = "quant"


def damage_edge(h: dict) -> None:
    h["nodes"][2]["inputs"] = ["nowhere"]


def damage_order(h: dict) -> None:
    h["nodes"][2], h["nodes"][4] = h["nodes"][4], h["nodes"][2]


def damage_cycle(h: dict) -> None:
    h["nodes"][2]["inputs"] = [h["nodes"][2]["id"]]


def damage_role(h: dict) -> None:
    del h["nodes"][2]["constants"]["shift"]


def damage_key(h: dict) -> None:
    h["nodes"][2]["constants"]["shift"] = "elsewhere"


def damage_shared(h: dict) -> None:
    h["nodes"][2]["constants"]["shift"] = h["nodes"][2]["constants"]["multiplier"]


def damage_dtype(h: dict) -> None:
    h["nodes"][2]["output"]["dtype"] = "int64"


def damage_scale(h: dict) -> None:
    h["nodes"][2]["output"]["scale"] = [0.0]


def damage_shape(h: dict) -> None:
    h["nodes"][2]["output"]["shape"][2] += 1


def damage_clamp(h: dict) -> None:
    h["nodes"][2]["attributes"]["high"] = 128


def damage_attribute(h: dict) -> None:
    h["nodes"][2]["attributes"]["stride"] = [0, 1]


def damage_output(h: dict) -> None:
    h["outputs"] = [["logits", h["nodes"][2]["id"]]]


def damage_profile(h: dict) -> None:
    h["profile"] = "exact"


def damage_field(h: dict) -> None:
    h["nodes"][2]["comment"] = "hello"


def damage_duplicate(h: dict) -> None:
    h["nodes"][3]["id"] = h["nodes"][2]["id"]


def damage_grid(h: dict) -> None:
    """What is dequantized lies on none."""
    (last,) = [n for n in h["nodes"] if n["op"] == "dequantize"]
    (source,) = [n for n in h["nodes"] if n["id"] == last["inputs"][0]]
    source["output"]["scale"] = None


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_version, "has version 3.0"),
        (damage_op, "operator is unknown"),
        (damage_stub, "no integer form"),
        (damage_edge, "not there before it"),
        (damage_order, "not there before it"),
        (damage_cycle, "not there before it"),
        (damage_role, "not those it needs"),
        (damage_key, "missing"),
        (damage_shared, "shift leaves|missing, left over or shared"),
        (damage_dtype, "dtype `int64` is unknown"),
        (damage_scale, "scale is not above 0"),
        (damage_shape, "its output is"),
        (damage_clamp, "clamps to"),
        (damage_attribute, "`stride` is out of its domain"),
        (damage_output, "neither floats nor whole numbers"),
        (damage_profile, "profile `exact` is unknown"),
        (damage_field, "other fields"),
        (damage_duplicate, "id is taken"),
        (damage_grid, "lies on no grid|has no scale"),
    ],
)
def test_what_is_wrong_is_said(damage, says: str, path: Path) -> None:
    data = path.read_bytes()
    changed = header(data)
    damage(changed)
    path.write_bytes(with_header(data, changed))
    with pytest.raises(QflowError, match=says) as caught:
        load(path)
    assert caught.value.diagnostics[0].code == "QF318"


@pytest.mark.parametrize("profile", ["tosa.single", "sophgo.bm1684x", "sophgo.cv18xx"])
@pytest.mark.parametrize("role", ["weight", "bias", "multiplier"])
def test_a_constant_that_is_missing(profile: str, role: str, tmp_path: Path) -> None:
    path, random = tmp_path / "one.safetensors", np.random.default_rng(0)
    weight = random.standard_normal((3, 4)).astype(np.float32)
    made = one_op(
        "linear", Example(((2, 4),)), [0.1], 0.1, weight=weight, bias=np.zeros(3, np.float32)
    )
    save(lowered(made, profile), path)
    data = path.read_bytes()
    changed = header(data)
    (node,) = [n for n in changed["nodes"] if n["op"] == "linear"]
    del node["constants"][role]
    path.write_bytes(with_header(data, changed))
    with pytest.raises(QflowError, match=r"constant|weight") as caught:
        load(path)
    assert caught.value.diagnostics[0].code == "QF318"


def test_constants_of_another_dtype_or_left_over(path: Path) -> None:
    data = path.read_bytes()
    text = json.dumps(header(data))
    constants = load_tensors(data)
    wrong = {k: v.astype(np.int64) if k == "stem.bias" else v for k, v in constants.items()}
    for changed in (wrong, constants | {"extra": np.zeros(1, np.int32)}):
        path.write_bytes(save_tensors(changed, {"qflow": text}))
        with pytest.raises(QflowError, match="QF318"):
            load(path)


def test_a_multiplier_outside_its_width(path: Path) -> None:
    data = path.read_bytes()
    constants = load_tensors(data)
    constants["stem.multiplier"] = constants["stem.multiplier"] + (1 << 15)
    path.write_bytes(save_tensors(constants, {"qflow": json.dumps(header(data))}))
    with pytest.raises(QflowError, match=r"multiplier leaves 0\.\.32767"):
        load(path)


def test_safetensors_of_someone_else(path: Path) -> None:
    path.write_bytes(save_tensors({"weight": np.zeros(3, np.float32)}))
    with pytest.raises(QflowError, match="without an integer model"):
        load(path)


def loads_or_says_why(path: Path, data: bytes) -> bool:
    """Whether it loads; an error other than QflowError, or with another code, fails the test."""
    path.write_bytes(data)
    codes = set()
    try:
        load(path)
    except QflowError as error:
        codes = {d.code for d in error.diagnostics}
    assert codes <= {"QF318"}
    return not codes


def test_truncated_anywhere(path: Path) -> None:
    data = path.read_bytes()
    source = random.Random(0)
    cuts = [*range(12), *sorted(source.sample(range(12, len(data)), 100)), len(data) - 1]
    assert not any(loads_or_says_why(path, data[:cut]) for cut in cuts)


def test_flipped_bytes_of_the_header(path: Path) -> None:
    """Most flips are found; those that only change a note or a digit of a scale may load."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    source = random.Random(1)
    loaded = 0
    for _ in range(300):
        mutated = bytearray(data)
        for _ in range(source.choice((1, 1, 3))):
            mutated[source.randrange(end)] = source.randrange(256)
        loaded += loads_or_says_why(path, bytes(mutated))
    assert loaded < 150


VALUES = (
    None,
    True,
    -1,
    0,
    1,
    2**40,
    10**30,
    0.5,
    -0.0,
    "",
    "x",
    [],
    [[]],
    {},
    [1, 2],
    [None],
    "input",
)


def test_values_of_the_graph_replaced(path: Path) -> None:
    data = path.read_bytes()
    source = random.Random(2)
    for _ in range(400):
        changed = header(data)
        spot: object = changed
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            key = source.choice(keys)
            inner = spot[key]
            if isinstance(inner, (dict, list)) and inner and source.random() < 0.9:
                spot = inner
                continue
            spot[key] = source.choice(VALUES)
            break
        loads_or_says_why(path, with_header(data, changed))
