"""A project of a user that composes qflow's groups: files, and how they are composed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra import initialize_config_dir

from qflow.hydra.compose import Composed, compose
from qflow.plan.lock import Lock, render
from tests.compile.models import of_entry

CONFIG = """\
defaults:
  - qflow/schema
  - qflow/march: nash-m
  - qflow/qconfig: w8a8
  - qflow/rules: base
  - qflow/schedule: ptq
  - _self_
  - optional team: null

stem: stem.**
qflow:
  qflow: 1
  params:
    bits: {type: dtype, value: int8, in: [int8, int16]}
    top: 4
  model:
    net:
      entry: "nets:digits"
      input: {image: "float32[N, 1, 8, 8]"}
      output: {logits: "float32[N, 10]"}
  data:
    calib: {loader: "nets.data:calibration", samples: 64}
    val: {loader: "nets.data:validation", metric: accuracy}
  rule_sets:
    stem: [{match: "${stem}", patch: {act.dtype: bits}}]
  order: [base, stem]
"""
TEAM = """\
# @package _global_
qflow:
  rule_sets:
    head:
      - {match: head, patch: {act.observer: min_max}}
  order: [base, stem, head]
"""


def write(folder: Path, config: str = CONFIG) -> None:
    """The project below a folder, with the lock of the network."""
    (folder / "conf" / "team").mkdir(parents=True)
    (folder / "conf" / "main.yaml").write_text(config)
    (folder / "conf" / "team" / "vision.yaml").write_text(TEAM)
    (folder / "net.qf.lock").write_text(render(Lock(of_entry("nets:digits"))))


@contextmanager
def initialized(folder: Path) -> Iterator[None]:
    """Hydra's compose API on the project; 1.4 warns of `version_base`."""
    old = tuple(map(int, hydra.__version__.split(".")[:2])) < (1, 4)
    given = {"version_base": None} if old else {}
    with initialize_config_dir(str(folder), **given):
        yield


def composed(overrides: Sequence[str] = (), name: str = "main") -> Composed:
    """The project of the current folder."""
    with initialized(Path("conf").resolve()):
        return compose(name, overrides, at="qflow", file=Path("net.qf"))
