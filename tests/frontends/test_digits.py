"""Digits from Python and out of its files, through the same program: the same integers."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_state

from qflow import cli, loops
from tests.frontends import nets

PIPELINES = Path(__file__).parents[2] / "pipelines"
PROGRAM = """qflow 1

model digits {{
  {}
  input  = {{image: float32[N, 1, 8, 8]}}
  output = {{logits: float32[N, 10]}}
}}

target board {{ march = "nash-m"; unlisted = error }}
data calib {{ source = "calib.npz"; batch = 16 }}
quantize {{ default use w8a8 }}
schedule {{ stage calibrate on calib {{ state "**" = calibration }} }}
"""


def test_the_same_integers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # compiling loops takes longer than four small runs
    monkeypatch.setattr(loops, "is_there", lambda device=None: False)
    shutil.copytree(
        PIPELINES / "digits", tmp_path / "digits", ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from digits.model import digits_net

    images = np.random.default_rng(0).uniform(-1, 1, (16, 1, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "calib.npz", image=images)
    model = digits_net()
    model.load_state_dict(load_state(tmp_path / "digits" / "digits.safetensors"))
    image = torch.rand(2, 1, 8, 8)
    nets.traced(model.eval(), tmp_path / "digits.ts", image)
    nets.exported(model, tmp_path / "digits.pt2", image)
    nets.onnx_of(model, tmp_path / "digits.onnx", image, names=("image",))

    def integers(source: str) -> list[np.ndarray]:
        (tmp_path / "x.qf").write_text(PROGRAM.format(source))
        code = cli.main(["run", "x.qf", "--out", "out"])
        said = capsys.readouterr()
        assert code == 0, said.err
        shown = "bit for bit" in said.out or "of the largest output from onnxruntime" in said.out
        assert shown == ("file" in source)
        found = load_file(tmp_path / "out" / "integer.safetensors")
        # stubs have other names
        return [
            found[k] for k in sorted(found, key=lambda k: k.replace("_generated_quant_0", "quant"))
        ]

    wanted = integers('entry = "digits.model:digits_net"; checkpoint = "digits/digits.safetensors"')
    for name in ("digits.ts", "digits.pt2", "digits.onnx"):
        found = integers(f'file = "{name}"')
        assert len(found) == len(wanted) > 30
        assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True)), name
