"""memory: the most memory that a forward takes, of the float model and of the integer one.

Each lane is a process of its own. Counted is the peak of the resident set during the forwards, less
the resident set right before them: the model is loaded and prepared, the images are there. The
first forward runs on one image, so that what libraries load once is there too.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks import shapes
from benchmarks.integer_forward import channels_last, integer_graph, quantized
from benchmarks.networks import Network
from qflow.emulation import file
from qflow.emulation.runtimes.torch import TorchRuntime

NETWORKS = {"resnet18": shapes.resnet18, "mobilenet_v2": shapes.mobilenet_v2}
LANES = ("float", "float, channels-last", "integer")
BATCH = 8
FORWARDS = 3
MARCH = "nash-m"
BAR = 1.3
"""Times the float model's: the most an integer forward may take."""
MEGABYTE = 1 << 20
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Print one table; `--lane` is what it starts for each of its rows."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    arguments.add_argument("--batch", type=int, default=BATCH)
    arguments.add_argument("--lane", nargs=3, metavar=("NETWORK", "LANE", "FILE"))
    given = arguments.parse_args()
    if given.lane:
        name, lane, path = given.lane
        print(json.dumps(measured(NETWORKS[name](), lane, Path(path), given.batch)))
        return
    run(given.batch)


def run(batch: int = BATCH) -> None:
    """Print one table; on systems without /proc, that it cannot be measured."""
    if not CLEAR.exists():
        print("peak memory is measured on Linux only")
        return
    print(f"peak memory of a forward, batch {batch}, MiB beyond the loaded model")
    print(f"{'network':<14}{'lane':<24}{'peak':>8}{'to float':>10}")
    for name in NETWORKS:
        for lane, (peak, ratio) in table(name, batch).items():
            print(f"{name:<14}{lane:<24}{peak:>8.1f}{ratio:>10.2f}")


def table(name: str, batch: int) -> dict[str, tuple[float, float]]:
    """Per lane its peak in MiB, and that over the plain float forward's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.qnn"
        file.save(integer_graph(quantized(NETWORKS[name](), MARCH), MARCH), path)
        peaks = {lane: in_process(name, lane, path, batch) for lane in LANES}
    return {lane: (peak, peak / peaks[LANES[0]]) for lane, peak in peaks.items()}


def in_process(name: str, lane: str, path: Path, batch: int) -> float:
    """MiB of one lane."""
    command = [sys.executable, "-m", "benchmarks.memory", "--batch", str(batch)]
    done = subprocess.run(
        [*command, "--lane", name, lane, str(path)], capture_output=True, text=True, check=True
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


@torch.no_grad()
def measured(network: Network, lane: str, path: Path, batch: int) -> float:
    """MiB that forwards of this process take at most beyond what was there before."""
    images = network.images(batch)
    if lane == "integer":
        graph = file.load(path)
        runtime, name = TorchRuntime(graph), graph.by_id[graph.inputs[0]].address

        def forward(x: torch.Tensor) -> object:
            return runtime.run({name: x})
    else:
        model = network.build()
        if lane != "float":
            model = channels_last(model)
            images = images.to(memory_format=torch.channels_last)
        forward = model
    forward(images[:1])
    give_back()
    before = resident("VmRSS")
    CLEAR.write_text("5")  # the peak begins anew
    for _ in range(FORWARDS):
        forward(images)
    return (resident("VmHWM") - before) / MEGABYTE


def give_back() -> None:
    """Memory that is free in this process goes back to the system, where the C library can."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident(field: str) -> int:
    """Bytes of this process: VmRSS those now, VmHWM the most since the peak was cleared."""
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith(field + ":"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
