"""make sophgo: our export through the vendor's own compiler, its integers against ours.

    python -m tests.vendor.sophgo FOLDER

FOLDER is a Python 3.10 environment with the package `tpu_mlir`. The digits example is run and
exported, `model_transform` and `model_deploy` make integers of it, `model_runner` computes them.
Exit code 0: no integer differs; 1: some do; 2: there is no such environment, or a tool failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
PIPELINE = "digits_bm1684x.qf"
CHIP = "bm1684x"
PROFILE = "sophgo_bm1684x_interpreter"
"""The runner interprets; the chip rounds some halves otherwise."""
IMAGES = 16
TOOLS = ("model_transform.py", "model_deploy.py", "model_runner.py")
LIMIT_S = 1800


class Failed(Exception):
    """Nothing can be compared; says why."""


@dataclass(frozen=True)
class Difference:
    row: str
    compared: int
    differing: int


def main(arguments: list[str]) -> int:
    try:
        if len(arguments) != 1 or not arguments[0]:
            raise Failed("name the environment: make sophgo SOPHGO=/path/to/environment")
        tools = find(Path(arguments[0]))
        with tempfile.TemporaryDirectory() as folder:
            found = tuple(compared(tools, Path(folder)))
    except Failed as error:
        print(f"sophgo: {error}", file=sys.stderr)
        return 2
    for one in found:
        print(f"{one.row:40} {one.differing:8,} of {one.compared:10,} integers differ")
    if not found:
        print("sophgo: the compiler has no tensor of ours", file=sys.stderr)
        return 2
    return int(any(one.differing for one in found))


def find(environment: Path) -> dict[str, Path]:
    """The vendor's tools by name. Raises Failed."""
    python = environment / "bin" / "python"
    if not python.exists():
        raise Failed(f"there is no Python environment at {environment}")
    probe = [str(python), "-c", "import sys, tpu_mlir; print(*sys.version_info[:2])"]
    done = subprocess.run(probe, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"`pip install tpu_mlir` in {environment} first: it is not installed there")
    if done.stdout.split() != ["3", "10"]:
        raise Failed(f"tpu_mlir is for Python 3.10, and {environment} has {done.stdout.strip()}")
    tools = {name: environment / "bin" / name for name in TOOLS}
    if missing := [name for name, path in tools.items() if not path.exists()]:
        raise Failed(f"{environment} has no {', '.join(missing)}")
    return tools


def compared(tools: Mapping[str, Path], folder: Path) -> Iterator[Difference]:
    """Every tensor that both have, over some images."""
    run = exported(folder)
    names = json.loads((run / "export" / "net.names.json").read_text())
    rows = {record["row"]: id_ for id_, record in names["tensors"].items()}
    tensors = compiled(tools, run / "export")
    ours, theirs = emulated(run, sorted(rows.values())), interpreted(tools, tensors, run)
    for row, values in theirs.items():
        if (id_ := rows.get(row)) in ours:
            yield difference(row, ours[id_], values)


def difference(row: str, ours: np.ndarray, theirs: np.ndarray) -> Difference:
    """How many integers of a tensor differ; the vendor holds them as floats."""
    if ours.size != theirs.size:
        raise Failed(f"{row} has {theirs.size} values, and ours {ours.size}")
    differing = np.count_nonzero(ours.reshape(-1).astype(np.int64) != theirs.reshape(-1))
    return Difference(row, ours.size, int(differing))


def exported(folder: Path) -> Path:
    """The folder of a run of digits with the export in it."""
    text = (ROOT / "pipelines" / PIPELINE).read_text()
    text = text.replace(f'march    = "{CHIP}"', f'march    = "{CHIP}"\n  profile  = {PROFILE}')
    # what is compared here is the compiler, not the checks of the example
    text = text[: text.index("check {")] + 'export tpu_mlir "net.onnx" {}\n'
    for source in (ROOT / "pipelines").iterdir():
        (folder / source.name).symlink_to(source)
    program = folder / "sophgo.qf"
    program.write_text(text)
    call([sys.executable, "-m", "qflow", "run", str(program), "--out", str(folder / "run")], folder)
    return folder / "run"


def compiled(tools: Mapping[str, Path], folder: Path) -> Path:
    """The lowered module, from the documented commands."""
    shapes = "[[1,1,8,8]]"
    transform = ["--model_name", "net", "--model_def", "net.onnx", "--input_shapes", shapes]
    call([str(tools["model_transform.py"]), *transform, "--mlir", "net.mlir"], folder)
    deploy = ["--mlir", "net.mlir", "--quantize", "INT8", "--chip", CHIP, "--not_gen_bmodel"]
    deploy += ["--calibration_table", "net_cali_table", "--quantize_table", "net_qtable"]
    call([str(tools["model_deploy.py"]), *deploy, "--model", "net.bmodel"], folder)
    found = sorted(folder.glob("*_tpu.mlir"))
    if not found:
        raise Failed("model_deploy left no *_tpu.mlir")
    return found[0]


def images(run: Path) -> np.ndarray:
    """The first samples of the validation data, float32 NCHW."""
    sys.path.insert(0, str(ROOT / "pipelines"))
    from digits.data import validation

    samples = [validation()[i] for i in range(IMAGES)]
    return np.stack([np.asarray(image, np.float32) for image, _ in samples])


def emulated(run: Path, ids: list[str]) -> dict[str, np.ndarray]:
    """Integers of ours by address."""
    from qflow.emulation import file
    from qflow.emulation.runtimes import numpy as oracle

    graph = file.load(run / "logical.safetensors")
    kept = [i for i in ids if i in graph.by_id]
    return oracle.run(graph, {"image": images(run)}, keep=kept)


def interpreted(tools: Mapping[str, Path], module: Path, run: Path) -> dict[str, np.ndarray]:
    """Integers of the vendor by row, as floats."""
    found: dict[str, list[np.ndarray]] = {}
    for image in images(run):
        np.savez(module.parent / "in.npz", image=image[None])
        asked = ["--input", "in.npz", "--model", module.name, "--output", "out.npz"]
        asked += ["--out_fixed", "--dump_all_tensors"]
        call([str(tools["model_runner.py"]), *asked], module.parent)
        with np.load(module.parent / "out.npz") as made:
            for name in made.files:
                found.setdefault(name, []).append(made[name])
    return {name: np.concatenate(values) for name, values in found.items()}


def call(command: list[str], folder: Path) -> None:
    """Run a tool. Raises Failed with the end of what it said."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{command[0]}: {error}") from error
    if done.returncode:
        raise Failed(f"{' '.join(command[:3])} failed:\n{(done.stdout + done.stderr)[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
