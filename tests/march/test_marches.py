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
    assert march.names() == ("generic", "nash-e", "nash-m")
    for name in ("nash-e", "nash-m"):
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
        assert nash.support("batch_norm") is None


def test_every_operator_of_models_is_on_the_generic_march() -> None:
    listed = {op for op, _ in march.load("generic").ops}
    # batch norm is folded; the colour operator becomes a convolution
    folded = {"batch_norm", "centered_yuv2rgb"}
    assert set(registry.names("emulation.ops")) - listed <= folded
    assert "batch_norm" not in listed


def test_int4_is_for_weights_of_the_generic_march() -> None:
    listed = [march.load(name).support("conv2d") for name in march.names()]
    assert ["int4" in s.weight for s in listed if s] == [True, False, False]


def test_generic_takes_every_operator_at_both_dtypes() -> None:
    generic = march.load("generic")
    assert generic.profile == "tosa_single"
    assert generic.fuse_add_dtypes == ("int8", "int16")
    for op, support in generic.ops:
        assert {"int8", "int16"} <= set(support.input) | {*support.output}, op
        assert not support.lowers


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


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ValueError, match="is no mapping"):
        read(path)
