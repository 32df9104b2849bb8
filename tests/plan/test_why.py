"""why: field, value, line."""

from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.diagnostics import QflowError
from qflow.plan.why import why

CASES = Path(__file__).parent.parent / "cases" / "compile"


def asked(case: str, address: str) -> str:
    found = front(CASES / case / "x.qf", {})
    assert found.plan is not None
    return why(found.plan, address, found.text)


def test_every_field_names_its_line() -> None:
    base = (
        '16 | match "stem.**", "pool" use w8a8 with'
        " { act.observer = percentile; act.percentile = 99.9 }\n"
    )
    patch = '17 | match "stem.**" patch { act.observer = moving_average }\n'
    assert asked("last_match_wins", "stem.conv") == (
        "stem.conv\n"
        f"  act.dtype              int8             {base}"
        f"  act.scheme             per_tensor       {base}"
        f"  act.observer           moving_average   {patch}"
        f"  act.averaging_constant 0.01             {patch}"
        f"  weight.dtype           int8             {base}"
        f"  weight.scheme          per_channel      {base}"
        f"  weight.observer        min_max          {base}"
        f"  out.dtype              int8             {base}"
        "  rules that matched: 15 use, 16 use, 17 patch\n"
        "  in calibrate         calibration      23 |"
        ' stage calibrate on calib { state "**" = calibration }\n'
        "  in evaluate          validation       24 |"
        ' stage evaluate on val { state "**" = validation }\n'
    )


def test_the_march_is_named_where_it_decided() -> None:
    text = asked("int8", "head")
    assert "  out.dtype            int32             - | nash-m: tail\n" in text
    assert "act." not in text
    lowered = asked("int16_nash", "stem.conv")
    assert "  act.dtype            int8              - | nash-m: max_pool2d takes int8\n" in lowered


def test_absorbed_and_shared_addresses_say_where_to_look() -> None:
    assert "runs inside stem.conv" in asked("int8", "stem.bn")
    assert "act.observer         mse" in asked("int8", "stem.bn")
    shared = asked("int8", "pool")
    assert "lies on the grid of stem.conv: max_pool2d keeps the grid of its input" in shared
    assert "act.observer" not in shared
    assert "cat gives its inputs its own grid" in asked("cat_group", "right.conv")


def test_given_scales_and_settings() -> None:
    assert "act.scale            0.0078125        16 |" in asked("fixed_scale", "quant")
    assert "act.percentile       99.9             23 |" in asked("qconfig_base", "stem.conv")


def test_a_glob_asks_for_every_address_it_covers() -> None:
    heads = [line for line in asked("int8", "block.first.*").splitlines() if line[:1].strip()]
    assert heads == ["block.first.conv", "block.first.bn", "block.first.relu"]


def test_an_unknown_address_names_the_nearest() -> None:
    with pytest.raises(QflowError) as caught:
        asked("int8", "stem.cnv")
    (finding,) = caught.value.diagnostics
    assert finding.code == "QF204"
    assert "`stem.conv`" in finding.notes[0]
