"""environment: with what a run was made: versions and threads, no names of people or machines."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

import qflow
from qflow.engine import digest

_PACKAGES = ("torch", "numpy", "safetensors", "onnx", "onnxruntime")


def render() -> str:
    """The content of `environment.json`."""
    found = {
        "qflow": qflow.__version__,
        "code": digest.of_code(),
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }
    return json.dumps(found, indent=2, sort_keys=True) + "\n"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
