"""Ways to change a file: bytes, the header's JSON, and constants that stay well-formed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tests.emulation.fuzz.corpus import NAMES, PROFILES

Header = dict[str, Any]
Constants = dict[str, np.ndarray]

SIZE_BYTES = 8
WHOLE = (-1, 0, 1, 2, 3, 7, 127, 128, 255, -128, 2**15, 2**31 - 1, 2**31, -(2**31), 2**40, 10**30)
VALUES: tuple[Any, ...] = (None, True, 0.5, -0.0, 1e300, "", "x", [], [[]], {}, [None], *WHOLE)
SCALES = (1e-45, 1e-38, 1e-10, 1.0, 1e10, 3e38, 0.0, -1.0)
STEPS = ("input", "quantize", "dequantize", "rescale", "island", "logic")
DTYPES = ("int8", "uint8", "int16", "int32", "float32")


def mutate(data: bytes, other: bytes, random: Random) -> bytes:
    """A changed file; `other` is one to take parts from."""
    if random.random() < 0.15:
        return random.choice(BYTES)(data, other, random)
    header, entries, constants = parts(data)
    donor, _, given = parts(other)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        change = random.choice(CHANGES)
        try:
            with np.errstate(all="ignore"):
                change(header, constants, donor, given, random)
        except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError):
            continue  # an earlier change left nothing there to change
    return whole(header, entries, constants, random)


def parts(data: bytes) -> tuple[Header, dict[str, str], Constants]:
    """The graph, the other entries and the constants of a file that is whole."""
    size = int.from_bytes(data[:SIZE_BYTES], "little")
    entries = dict(json.loads(data[SIZE_BYTES : SIZE_BYTES + size])["__metadata__"])
    return json.loads(entries.pop("qflow")), entries, load_tensors(data)


def whole(header: Header, entries: dict[str, str], constants: Constants, random: Random) -> bytes:
    text = json.dumps(header)
    if random.random() < 0.03:
        text = random.choice(TEXTS)(text, random)
    arrays = {k: np.ascontiguousarray(v) for k, v in constants.items()}
    return save_tensors(arrays, {**entries, "qflow": text})


# --- bytes ----------------------------------------------------------------------------------------


def _flip(data: bytes, other: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    end = SIZE_BYTES + int.from_bytes(data[:SIZE_BYTES], "little")
    for _ in range(random.choice((1, 1, 3, 30))):
        changed[random.randrange(random.choice((end, len(data))))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def _splice(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))] + other[random.randrange(len(other)) :]


def _size(data: bytes, other: bytes, random: Random) -> bytes:
    claimed = random.choice((0, 1, 2**63, 2**64 - 1, len(data), random.randrange(len(data))))
    return claimed.to_bytes(SIZE_BYTES, "little") + data[SIZE_BYTES:]


BYTES = (_flip, _cut, _splice, _size)


# --- the header's text ----------------------------------------------------------------------------


def _nested(text: str, random: Random) -> str:
    depth = random.choice((50, 10_000, 200_000))
    return text.replace('"notes": [', '"notes": [' + "[" * depth + "]" * depth + ",", 1)


def _doubled(text: str, random: Random) -> str:
    at = random.choice([i for i, c in enumerate(text) if c == "{"])
    key = random.choice(("id", "op", "shape", "low", "nodes", "weight"))
    return f'{text[: at + 1]}"{key}": {random.choice((1, 2**40))}, {text[at + 1 :]}'


def _no_number(text: str, random: Random) -> str:
    return text.replace(": 0", f": {random.choice(('NaN', 'Infinity', '1e999', '-1e-999'))}", 1)


def _digits(text: str, random: Random) -> str:
    return text.replace("1", "1" * random.choice((20, 5000)), 1)


TEXTS: tuple[Callable[[str, Random], str], ...] = (_nested, _doubled, _no_number, _digits)


# --- the graph ------------------------------------------------------------------------------------


def _any(header: Header, constants: Constants, donor: Header, given: Constants, r: Random) -> None:
    """Some value somewhere is replaced."""
    spot: Any = r.choice((header, *header["nodes"]))
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = r.choice(keys)
        inner = spot[key]
        if isinstance(inner, (dict, list)) and inner and r.random() < 0.9:
            spot = inner
            continue
        spot[key] = _near(inner, r) if r.random() < 0.6 else r.choice(VALUES)
        return


def _near(value: Any, r: Random) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return r.choice((value + 1, value - 1, -value, 2 * value, value // 2, *WHOLE))
    if isinstance(value, float):
        return r.choice((value * 2, -value, value * 1e-30, value * 1e30, *SCALES))
    if isinstance(value, list):
        return r.choice((value[1:], value[::-1], value + value, [1] * len(value)))
    return r.choice(VALUES)


def _attribute(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """A number among the attributes of a node."""
    attributes = r.choice([n for n in header["nodes"] if n["attributes"]])["attributes"]
    key = r.choice(sorted(attributes))
    value = attributes[key]
    if isinstance(value, list) and value and r.random() < 0.8:
        value[r.randrange(len(value))] = _near(r.choice(value), r)
    else:
        attributes[key] = _near(value, r)


def _operator(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """A node of another operator, with its own attributes or with another's."""
    node, from_ = r.choice(header["nodes"]), r.choice(donor["nodes"])
    node["op"] = r.choice((from_["op"], r.choice(NAMES), r.choice(STEPS)))
    if r.random() < 0.7:
        node["attributes"] = from_["attributes"]
        if node["op"] == from_["op"] and r.random() < 0.7:
            _constants_of(node, from_, constants, given)


def _foreign(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """A node of another file in the place of one, with its attributes and constants."""
    place, from_ = r.randrange(len(header["nodes"])), dict(r.choice(donor["nodes"]))
    node = header["nodes"][place]
    _constants_of(from_, from_, constants, given)
    header["nodes"][place] = {**from_, "id": node["id"], "inputs": node["inputs"]}
    if r.random() < 0.5:
        header["nodes"][place]["output"] = node["output"]


def _constants_of(node: Any, from_: Any, constants: Constants, given: Constants) -> None:
    for key in node["constants"].values():
        constants.pop(key, None)
    node["constants"] = {role: f"new.{key}" for role, key in from_["constants"].items()}
    constants.update({f"new.{key}": given[key] for key in from_["constants"].values()})


def _island(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """An island of any operator, with the attributes of anything."""
    floats = [n for n in header["nodes"] if n["output"]["dtype"] == "float32"]
    islands = [n for n in header["nodes"] if n["op"] == "island"]
    node = r.choice(islands) if islands else r.choice(floats)
    attributes = dict(r.choice((node, *donor["nodes"]))["attributes"])
    node["op"] = "island"
    node["attributes"] = {**attributes, "op": r.choice(NAMES)}


def _kind(header: Header, constants: Constants, donor: Header, given: Constants, r: Random) -> None:
    """Another dtype, zero point, scale, axis or layout of one tensor, or of all."""
    outputs = [n["output"] for n in header["nodes"]]
    change: dict[str, Any] = r.choice(
        (
            {"dtype": r.choice(DTYPES)},
            {"zero_point": r.choice((-128, 127, 128, 255, 1, -1, 32767, -32768))},
            {"scale": [r.choice(SCALES)]},
            {"scale": None},
            {"axis": r.choice((0, 1, 3, 7))},
            {"layout": r.choice(("", "nchw", "nhwc"))},
        )
    )
    for output in outputs if r.random() < 0.4 else [r.choice(outputs)]:
        if output["scale"] is not None or "layout" in change or r.random() < 0.1:
            output.update(change)


def _sizes(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """One size of the tensors is another one, wherever it stands."""
    shapes = [n["output"]["shape"] for n in header["nodes"]]
    before = r.choice([s for shape in shapes for s in shape])
    after = r.choice((1, before + 1, 2 * before, 5, 64, 2**16, 2**30))
    axis = r.choice((None, 0, 1, 2))
    for shape in shapes:
        for i, size in enumerate(shape):
            if size == before and axis in (None, i):
                shape[i] = after


def _wires(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """Operands are others, doubled or gone; nodes change places, come twice or go."""
    nodes = header["nodes"]
    node, ids = r.choice(nodes), [n["id"] for n in nodes]
    what = r.randrange(5)
    if what == 0:
        node["inputs"][r.randrange(len(node["inputs"]))] = r.choice(ids)
    elif what == 1:
        node["inputs"] = r.choice((node["inputs"] * 2, node["inputs"][1:], node["inputs"][::-1]))
    elif what == 2:
        nodes.insert(r.randrange(len(nodes)), json.loads(json.dumps(node)))
    elif what == 3:
        nodes.remove(node)
    else:
        i, j = r.randrange(len(nodes)), r.randrange(len(nodes))
        nodes[i], nodes[j] = nodes[j], nodes[i]


def _profile(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    header["profile"] = r.choice((*PROFILES, "", "../x", "sophgo_mul32", "os"))


def _names(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """Constants, ids or outputs are called otherwise."""
    what = r.randrange(3)
    if what == 0:
        key = r.choice(sorted(constants))
        constants[r.choice((f"{key}x", "", "a\nb"))] = constants.pop(key)
    elif what == 1:
        roles = r.choice([n for n in header["nodes"] if n["constants"]])["constants"]
        role = r.choice(sorted(roles))
        roles[r.choice((role + "x", r.choice(sorted(roles))))] = roles.pop(role)
    else:
        header["outputs"].append([r.choice(("y", "z")), r.choice(header["nodes"])["id"]])


# --- constants ------------------------------------------------------------------------------------


def _values(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """Values of one constant, up to the ends of its dtype."""
    key = r.choice(sorted(constants))
    array = constants[key].copy()
    flat = array.reshape(-1)
    at = r.sample(range(flat.size), r.choice((1, min(3, flat.size), flat.size)))
    if array.dtype.kind == "f":
        flat[at] = r.choice((0, -1, 1e38, -1e38, 1e-44, np.nan, np.inf, 2.0**31, 1.5))
    else:
        low, high = np.iinfo(array.dtype).min, np.iinfo(array.dtype).max
        flat[at] = r.choice((low, high, 0, 1, r.randint(low, high), max(low, -1)))
    constants[key] = array


def _noise(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """Every constant of a role is random over its whole dtype."""
    key = r.choice(sorted(constants))
    array = constants[key]
    constants[key] = np.frombuffer(r.randbytes(array.nbytes), array.dtype).reshape(array.shape)


def _array(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """A constant of another shape or dtype."""
    key = r.choice(sorted(constants))
    array = constants[key]
    choices = (
        lambda: array.reshape(-1),
        lambda: array[..., :1],
        lambda: array[:0],
        lambda: np.concatenate([array, array]),
        lambda: array.T,
        lambda: array.astype(r.choice((np.int8, np.uint8, np.int16, np.int32, np.int64))),
        lambda: array.astype(r.choice((np.float16, np.float32, np.float64, bool))),
    )
    with np.errstate(all="ignore"):
        constants[key] = r.choice(choices)()


def _packed(
    header: Header, constants: Constants, donor: Header, given: Constants, r: Random
) -> None:
    """Constants of four bits: of other shapes, and where there are none."""
    key = r.choice(sorted(header["packed"]) or sorted(constants))
    shape = list(header["packed"].get(key, constants[key].shape))
    what = r.randrange(3)
    if what == 0:
        constants[key] = np.zeros((int(np.prod(shape)) + 1) // 2, np.uint8)
    elif what == 1:
        shape = r.choice((shape[1:], [*shape, 1], [-s for s in shape], [2**40, 2**40], [2**62, 4]))
    else:
        shape[r.randrange(len(shape))] += r.choice((-1, 1))
    header["packed"][key] = shape


Change = Callable[[Header, Constants, Header, Constants, Random], None]
CHANGES: Sequence[Change] = (
    *(_any, _attribute, _attribute, _attribute, _operator, _foreign, _island, _kind, _kind),
    *(_sizes, _sizes, _wires, _profile, _names, _values, _values, _values, _noise, _array, _packed),
)
