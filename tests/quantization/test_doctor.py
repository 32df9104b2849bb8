"""doctor: every scale that is 1 has a reason."""

import torch

from qflow.quantization import doctor
from tests.quantization.test_loading import Tail, calibrated, prepared

QUANT = "quant.activation_post_process"


def said(state: object, model: object) -> dict[str, str]:
    """Severity and text by what a finding is about."""
    return {d.message: f"{d.severity}: {' '.join(d.notes)}" for d in doctor(state, model)}


def test_nothing_to_say() -> None:
    assert doctor(calibrated(prepared(Tail())).state_dict(), prepared(Tail())) == ()


def test_never_observed() -> None:
    found = doctor(prepared(Tail()).state_dict(), prepared(Tail()))
    assert {d.code for d in found} == {"QF321"}
    assert all(
        "never observed: min_val and max_val are as at the start" in d.message for d in found
    )
    assert {d.severity for d in found} == {"warning"}
    paths = {d.message.split("`")[1] for d in found}
    model = prepared(Tail())
    assert paths == {n.removesuffix(".scale") for n in model.state_dict() if n.endswith(".scale")}


def test_stored_as_one_beside_a_range() -> None:
    state = calibrated(prepared(Tail())).state_dict()
    state[f"{QUANT}.scale"] = torch.ones(1)
    (found,) = doctor(state, prepared(Tail()))
    assert "it is stored as 1, its range is" in found.message
    assert found.severity == "warning"


def test_stored_as_one_without_a_range() -> None:
    state = calibrated(prepared(Tail())).state_dict()
    state[f"{QUANT}.scale"] = torch.ones(1)
    del state[f"{QUANT}.activation_post_process.min_val"]
    messages = [d.message for d in doctor(state, prepared(Tail())) if d.code == "QF321"]
    assert messages == [f"the scale of `{QUANT}` is 1: it is stored as 1, and no range beside it"]


def test_a_true_one_is_a_note() -> None:
    state = calibrated(prepared(Tail())).state_dict()
    state[f"{QUANT}.scale"] = torch.ones(1)
    for name in ("min_val", "max_val"):
        value = -127.5 if name == "min_val" else 127.5
        state[f"{QUANT}.activation_post_process.{name}"] = torch.full((1,), value)
    (found,) = doctor(state, prepared(Tail()))
    assert found.severity == "note"
    assert "that is the scale of its range" in found.message


def test_key_missing_because_of_a_layout_change() -> None:
    """Trained with the head at the tail, deployed with a permute before the dequantize."""
    state = calibrated(prepared(Tail())).state_dict()
    found = said(state, prepared(Tail(permutes=True)))
    message = "the scale of `head.activation_post_process` is 1: its key is missing"
    assert "`_generated_permute_0` stands between it and its dequantize" in found[message]
    assert "P1" in found[message]
    assert any(m.startswith("`head`: missing activation_post_process.*") for m in found)


def test_a_float_checkpoint_is_one_note() -> None:
    (found,) = doctor(Tail().state_dict(), prepared(Tail()))
    assert found.severity == "note"
    assert "this is a float checkpoint" in found.message


def test_nothing_is_changed() -> None:
    model = prepared(Tail())
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = calibrated(prepared(Tail())).state_dict()
    keys = list(state)
    doctor(state, model)
    assert list(state) == keys
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
