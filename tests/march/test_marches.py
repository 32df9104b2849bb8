"""Every march file is sound, and a bad one is refused with its place."""

from pathlib import Path

import pytest

from qflow import march, registry
from qflow.march.reader import read

GOOD = Path(march.__file__).parent / "nash-m.yaml"


@pytest.mark.parametrize("name", march.names())
def test_every_march_lists_known_operators_and_names_its_sources(name: str) -> None:
    found = march.load(name)
    assert found.name == name
    assert found.about
    operators = registry.names("emulation.ops")
    assert [op for op, _ in found.ops if op not in operators] == []
    assert found.profile in registry.names("emulation.profiles")
    assert all(text for _, text in found.sources)
    assert all(support.source for _, support in found.ops)
    assert list(found.ops) == sorted(found.ops)


def test_what_the_field_says_of_nash() -> None:
    for name in ("nash-e", "nash-m", "nash-p", "nash-b", "nash-h"):
        nash = march.load(name)
        assert (nash.observed_divisor, nash.threshold_divisor) == ("half_range", "minus_qmin")
        assert (nash.profile, nash.tail, nash.layout) == ("mul15", "int32", "nhwc")
        assert nash.fuse_add_dtypes == ("int8",)
        pool = nash.support("max_pool2d")
        assert pool is not None
        assert (pool.input, pool.lowers) == (("int8",), True)
        matmul, sampled = nash.support("matmul"), nash.support("grid_sample")
        assert matmul is not None
        assert [matmul.takes(1, wide) for wide in (0, 1)] == [("int8", "int16"), ("int8",)]
        assert sampled is not None
        assert [sampled.takes(slot) for slot in (0, 1)] == [("int8",), ("int8", "int16")]
        normed = nash.support("batch_norm")
        assert normed is not None
        assert normed.source.startswith("our choice")


def test_every_operator_of_models_is_on_the_generic_march() -> None:
    listed = {op for op, _ in march.load("generic").ops}
    # the colour operator becomes a convolution
    assert set(registry.names("emulation.ops")) - listed <= {"centered_yuv2rgb"}


def test_int4_is_for_weights_of_the_generic_march() -> None:
    listed = {name: march.load(name).support("conv2d") for name in march.names()}
    assert [name for name, s in listed.items() if s and "int4" in s.weight] == ["generic"]


def test_generic_takes_every_operator_at_both_dtypes() -> None:
    generic = march.load("generic")
    assert generic.profile == "tosa_single"
    assert generic.fuse_add_dtypes == ("int8", "int16")
    for op, support in generic.ops:
        assert {"int8", "int16"} <= set(support.input) | {*support.output}, op
        assert not support.lowers


def test_every_family_of_the_field_is_there() -> None:
    assert march.names() == (
        *("bayes", "bayes-e", "bernoulli2", "bm1684", "bm1684x", "bm1688", "cv18xx", "generic"),
        *("nash-b", "nash-e", "nash-h", "nash-m", "nash-p", "onnxruntime", "tflite", "tosa"),
    )


def test_what_the_field_says_of_the_generations_before_nash() -> None:
    bayes, old = march.load("bayes"), march.load("bernoulli2")
    linear, division = bayes.support("linear"), bayes.support("div")
    assert linear is not None
    assert division is not None
    assert (linear.input, linear.lowers, division.input) == (("int8",), True, ("int16",))
    tables = {op for op in ("exp", "sigmoid", "tanh", "silu", "gelu", "sin", "log", "mish")}
    assert {op for op in tables if old.support(op)} == {"exp", "sigmoid", "tanh", "silu", "gelu"}
    assert old.support("linear") is None
    assert old.table_segments == 0


def test_what_was_measured_of_the_tpus() -> None:
    for name in ("bm1684", "bm1684x", "bm1688", "cv18xx"):
        tpu = march.load(name)
        assert (tpu.observed_divisor, tpu.rounding) == ("qmax", "half_away")
        assert tpu.support("layer_norm") is None
        assert dict(tpu.floats)["layer_norm"]
        assert {d for _, s in tpu.ops for d in (*s.input, *s.output)} <= {"int8", "float32"}
    assert march.load("bm1684").bias_bits == 16
    assert march.load("bm1688").ops == march.load("bm1684x").ops


def test_an_operator_is_listed_or_float_and_not_both() -> None:
    operators = set(registry.names("emulation.ops"))
    for name in march.names():
        found = march.load(name)
        assert not {op for op, _ in found.ops} & {op for op, _ in found.floats}
        assert {op for op, _ in found.floats} <= operators


def test_an_unknown_march() -> None:
    with pytest.raises(KeyError):
        march.load("nash-x")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: nash-m", "name: nash-n", "name is `nash-n`"),
        ("value: half_even", "value: half_odd", "rounding is `half_odd`, not one of half_even"),
        ("bias_bits: {value: 32", "bias_bits: {value: many", "not a whole number"),
        ("value: [int8]", "value: int8", "not a list of dtypes"),
        ("relu: {input: [int8, int16]", "relu: {input: [int7]", "unknown dtypes: int7"),
        ("tail: {value: int32, source:", "tail: {value: int32, because:", "lacks source"),
        ("tail: {value: int32, source:", "tail: {value: int32, more: 1, source:", "unknown entries"),
        ("layout: {", "lay: {", "lacks layout"),
        ("same: true", "some: true", "unknown fields: some"),
        ("relu: {input: [int8, int16], output: [int8, int16]", "relu: {input: []", "lacks output"),
        ("relu: {", "relu6_: [1] #", "is no mapping"),
        ("wide: 1", "wide: one", "has wide `one`, not a whole number"),
        ("operands: [[int8],", "operands: [[int4],", "has int4 at an operand but not as input"),
        ("operands: [[int8], [int8, int16]]", "operands: int8", "operands that are no list"),
        ("tail: {", "tail: [1] #", "is not of the form"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_entry(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = GOOD.read_text()
    assert old in text
    path = tmp_path / "nash-m.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"march nash-m\.yaml: ") as caught:
        read(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("extends: nash-x", "extends is `nash-x`, no other march"),
        ("extends: mine", "extends is `mine`, no other march"),
        ("extends: nash-m\nwithout: [gone]", "without names gone"),
        ("extends: nash-m\nops: {sin cos: 1, sin: 2}", "ops.sin is there twice"),
        ("extends: nash-m\nops: [sin]", "ops is no mapping"),
    ],
)
def test_a_bad_extension_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\nabout: a test\n{text}\n")
    with pytest.raises(ValueError, match=r"march mine\.yaml: ") as caught:
        read(path)
    assert said in str(caught.value)


def test_an_extension_holds_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nabout: a test\nextends: nash-m\nwithout: [tan]\n"
        "floats: {sin: slow}\nops: {cos: {input: [int8], output: [int8], source: mine}}\n"
    )
    mine, base = read(path), march.load("nash-m")
    assert (mine.name, mine.profile, mine.floats) == ("mine", base.profile, (("sin", "slow"),))
    changed = {op for op, s in base.ops if mine.support(op) != s}
    assert changed == {"sin", "cos", "tan"}
    assert mine.support("cos") == march.OpSupport(("int8",), ("int8",), source="mine")


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ValueError, match="is no mapping"):
        read(path)
