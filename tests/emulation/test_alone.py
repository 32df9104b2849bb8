"""The oracle, the files and lowering need NumPy alone: torch is not imported, and may be absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from qflow.emulation.file import save
from qflow.emulation.layout import lay_out
from qflow.emulation.runtimes import numpy as oracle
from tests.emulation.build import lowered
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
EVERYTHING = """
import importlib, pkgutil
import qflow.emulation
torch_files = {f"qflow.emulation.runtimes.{n}" for n in ("torch", "_rescale", "_blocks")}
for found in pkgutil.walk_packages(qflow.emulation.__path__, "qflow.emulation."):
    if found.name not in torch_files:
        importlib.import_module(found.name)
assert "torch" not in sys.modules
"""


def python(code: str, *args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK + code, *args], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


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
