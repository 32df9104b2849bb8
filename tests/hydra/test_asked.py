"""The key `job`, and that the points of one sweep ask for the same."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from qflow.diagnostics import QflowError
from qflow.hydra.asked import Asked, agreed, of


def test_it_is_read_from_the_configuration() -> None:
    config = OmegaConf.create(
        {"job": {"verb": "plan", "out": "there", "launcher": {"kind": "joblib", "workers": 2}}}
    )
    search = {"sampler": "optuna", "trials": 4, "objective": "integer.accuracy"}
    assert of(OmegaConf.create({"job": search})).search == (*search.items(),)
    assert of(config) == Asked("plan", Path("there"), "qf", "joblib", (("workers", 2),))
    assert of(OmegaConf.create({})) == Asked()
    with pytest.raises(QflowError, match=r"`job\.trials` is 1 or more, not 0"):
        of(OmegaConf.create({"job": {"trials": 0}}))
    with pytest.raises(QflowError, match="QF113"):
        of(OmegaConf.create({"job": {"launcher": {"workers": [1, 2]}}}))


def test_all_ask_for_the_same() -> None:
    assert agreed([Asked("plan"), Asked("plan")]) == Asked("plan")
    several = [Asked("plan", launcher="joblib", options=(("workers", 2),)), Asked("run")]
    with pytest.raises(QflowError, match=r"differ in `job\.verb`, `job\.launcher`"):
        agreed(several)
