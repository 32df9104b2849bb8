"""diff: what is a difference, whose line it is, and how it is grouped."""

from dataclasses import replace

from qflow.plan.diff import FieldChange, Line, Side, compare
from tests.plan.diff.pairs import DIGITS, MIXED, edited, side

TOP = ("top: int = 3", "top: int = 5")


def test_a_budget_is_one_group_with_both_lines() -> None:
    found = edited(MIXED, TOP)
    (params, modules) = found.groups
    assert params.subjects == ("top",)
    assert params.fields == (FieldChange("", "3", "5"),)
    assert modules.subjects == ("block1.first.conv", "block2.first.conv")
    assert modules.before == Line("28", "default use w8a8")
    assert modules.after is not None
    assert modules.after.text.startswith("match sensitive(sens")
    assert FieldChange("act.dtype", "int8", "int16") in modules.fields
    assert FieldChange("act.bins", "2048", None) in modules.fields
    assert found.changed == 2
    assert found.modules == (25, 25)
    assert found.again[0] == "prepare"
    assert not found.same


def test_what_means_the_same_is_the_same() -> None:
    found = edited(
        MIXED,
        ("# Digits in mixed precision", "\n\n# Digits, otherwise the same"),
        ("  default use w8a8\n", "  default use w8a8   # all\n\n"),
        ("  samples   = 128\n", "  samples = 128\n"),
    )
    assert found.same
    assert found.groups == ()
    assert found.again == ()


def test_it_is_its_own_reverse() -> None:
    there = edited(MIXED, TOP)
    back = compare(there.after, there.before)
    assert len(back.groups) == len(there.groups)
    assert back.cost == there.cost[::-1]
    for one, other in zip(there.groups, back.groups, strict=True):
        assert one.subjects == other.subjects
        assert (one.before, one.after) == (other.after, other.before)
        turned = {FieldChange(c.field, c.after, c.before) for c in one.fields}
        assert turned == set(other.fields)


def test_stages_states_freezes_and_checks() -> None:
    found = edited(
        DIGITS,
        ("lr = 1e-3", "lr = 1e-4"),
        ("assert output.logits is int32", "warn output.logits is int32"),
    )
    stages = [g for g in found.groups if g.section == "stages"]
    assert [(g.subjects, g.fields) for g in stages] == [
        (("finetune",), (FieldChange("lr", "0.001", "0.0001"),))
    ]
    checks = [g for g in found.groups if g.section == "checks"]
    assert [(g.subjects, g.fields[0]) for g in checks] == [
        (("output.logits is int32",), FieldChange("severity", "assert", "warn"))
    ]
    assert found.changed == 0
    assert "finetune" in found.again
    assert "calibrate" not in found.again


def test_a_state_is_told_per_rule_and_not_per_address() -> None:
    found = edited(
        DIGITS,
        ('    state "**" = qat\n', '    state "**" = qat\n    state "block*.**" = validation\n'),
    )
    (group,) = found.groups
    assert group.section == "states"
    assert group.kind == "changed"
    assert group.fields == (FieldChange("finetune", "qat", "validation"),)
    assert all(s.startswith("block") for s in group.subjects)
    assert len(group.subjects) > 2
    assert group.after is not None
    assert group.after.text == 'state "block*.**" = validation'


def test_exports_and_blocks() -> None:
    found = edited(DIGITS, ("opset = 21", "opset = 19"), ("batch = 64", "batch = 32"))
    assert [g.fields for g in found.groups if g.section == "exports"] == [
        (FieldChange("opset", "21", "19"),)
    ]
    batches = [g for g in found.groups if g.section == "data"]
    assert batches
    assert all(g.fields == (FieldChange("batch", "64", "32"),) for g in batches)
    assert all(g.after is not None and "batch = 32" in g.after.text for g in batches)


def test_a_file_that_is_new_or_gone() -> None:
    there = side(MIXED, MIXED.read_text())
    new = compare(Side("main", None), there)
    assert {g.kind for g in new.groups} == {"added"}
    assert new.count("modules", "added") == 25
    assert new.cost[0].weight_bytes == 0
    gone = compare(there, Side("now", None))
    assert {g.kind for g in gone.groups} == {"removed"}
    assert gone.again == ()
    assert compare(Side("a", None), Side("b", None)).same


def test_modules_that_come_and_go() -> None:
    before = side(MIXED, MIXED.read_text())
    assert before.plan is not None
    fewer = replace(before.plan, modules=before.plan.modules[:-1])
    found = compare(before, Side("now", fewer))
    (group,) = found.groups
    assert (group.section, group.kind) == ("modules", "removed")
    assert group.subjects == (before.plan.modules[-1].address,)
    assert found.modules == (25, 24)


def test_every_field_of_every_plan_is_compared() -> None:
    """Whatever changes a hash shows in a group, field by field of the module that changed."""
    before = side(DIGITS, DIGITS.read_text())
    assert before.plan is not None
    module = next(m for m in before.plan.modules if m.weight is not None and m.act is not None)
    assert module.act is not None
    changes = [
        replace(module, type="Other"),
        replace(module, act=None),
        replace(module, weight=None),
        replace(module, out=None),
        replace(module, inputs=(module.act,)),
        replace(module, absorbed_by="elsewhere"),
        replace(module, act=replace(module.act, axis=1)),
    ]
    for changed in changes:
        modules = tuple(changed if m is module else m for m in before.plan.modules)
        found = compare(before, Side("now", replace(before.plan, modules=modules)))
        assert {s for g in found.groups for s in g.subjects} == {module.address}
