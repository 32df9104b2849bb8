"""The oracle, the files and lowering need NumPy alone: torch is not imported, and may be absent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from qflow import registry
from qflow.emulation.file import load, save
from qflow.emulation.layout import lay_out
from qflow.emulation.op import op
from qflow.emulation.profile import profile
from qflow.emulation.runtimes import numpy as oracle
from qflow.emulation.runtimes.torch import TorchRuntime
from tests.emulation.build import lowered
from tests.emulation.fuzz.corpus import NAMES, PROFILES, Make, as_bytes, example
from tests.emulation.fuzz.verdict import inputs_for
from tests.emulation.nets import residual_net

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is blocked")
sys.meta_path.insert(0, Block())
"""
RUN = """
from pathlib import Path
import numpy as np
from qflow.emulation.file import load
from qflow.emulation.runtimes.numpy import run
folder = Path(sys.argv[1])
graph = load(folder / "integer.safetensors")
np.save(folder / "out.npy", run(graph, {"image": np.load(folder / "in.npy")})["logits"])
assert "torch" not in sys.modules
"""
RUN_ALL = """
from pathlib import Path
import numpy as np
from qflow.emulation.file import load
from qflow.emulation.runtimes.numpy import run, run_quantized
from qflow.emulation.qtensor import QTensor
done = 0
for path in sorted(Path(sys.argv[1]).glob("*.qnn")):
    graph = load(path)
    arrays = np.load(path.with_suffix(".npz"))
    inputs = {k[3:]: v for k, v in arrays.items() if k.startswith("in.")}
    for name, found in run(graph, inputs).items():
        wanted = arrays["out." + name]
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), path
        assert found.tobytes() == wanted.tobytes(), path
    for made in run_quantized(graph, inputs).values():
        assert isinstance(made, (QTensor, np.ndarray)), path
    done += 1
assert "torch" not in sys.modules
print(done)
"""
EVERYTHING = """
import importlib, pkgutil
import qflow.emulation
torch_only = "torch timing _blocks _bytes _carried _narrow _rescale _settled"
torch_files = {f"qflow.emulation.runtimes.{n}" for n in torch_only.split()}
for found in pkgutil.walk_packages(qflow.emulation.__path__, "qflow.emulation."):
    if found.name not in torch_files and ".carriers." not in found.name:
        importlib.import_module(found.name)
assert "torch" not in sys.modules
"""


def python(code: str, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK + code, *args], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_runs_without_torch(tmp_path: Path) -> None:
    graph = lay_out(lowered(residual_net(), "mul15"), "nhwc")
    save(graph, tmp_path / "integer.safetensors")
    image = np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)
    np.save(tmp_path / "in.npy", image)
    python(RUN, str(tmp_path))
    assert np.array_equal(
        np.load(tmp_path / "out.npy"), oracle.run(graph, {"image": image})["logits"]
    )


def test_only_the_fast_path_imports_torch() -> None:
    python(EVERYTHING)


def kinds() -> Iterator[tuple[str, Make]]:
    """Every operator on one profile, and every own operator on a profile that has it."""
    has = {folder: rule for rule in PROFILES for folder in profile(rule).own[:1]}
    has = {folder: rule for rule in PROFILES for folder in profile(rule).own} | has
    own = {(n, r) for folder, r in has.items() for n in registry.names(f"emulation.own.{folder}")}
    for k, name in enumerate(n for n in NAMES if op(n).examples or op(n).float_examples):
        rules = {PROFILES[k % len(PROFILES)], *(r for n, r in own if n == name)}
        for rule in sorted(rules):
            yield example(name, 0, rule, "int8", shifted=False, nhwc=k % 2 == 0)


def test_files_of_every_operator_run_without_torch(tmp_path: Path) -> None:
    """Against what the torch runtime gives, so that one process proves both."""
    saved = 0
    for _, make in kinds():
        if as_bytes(make, tmp_path) is None:
            continue
        file = (tmp_path / "whole.qnn").rename(tmp_path / f"{saved}.qnn")
        graph = load(file)
        inputs = inputs_for(graph, saved)
        tensors = {k: torch.from_numpy(x) for k, x in inputs.items()}
        found = TorchRuntime(graph).run(tensors)
        arrays = {f"in.{k}": x for k, x in inputs.items()}
        arrays |= {f"out.{k}": v.contiguous().numpy() for k, v in found.items()}
        np.savez(tmp_path / f"{saved}.npz", **arrays)
        saved += 1
    assert saved > 200
    assert int(python(RUN_ALL, str(tmp_path))) == saved
