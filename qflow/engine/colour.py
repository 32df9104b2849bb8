"""colour: what the finished model takes where its target converts a camera's colours."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import fx

from qflow.diagnostics import Diagnostic
from qflow.engine.located import Located
from qflow.engine.work import Work
from qflow.functional import bgr2centered_yuv, rgb2centered_yuv
from qflow.plan.colour import OPERATORS, ColourPlan
from qflow.quantization import insert_centered_yuv2bgr, insert_centered_yuv2rgb

Arrays = Mapping[str, np.ndarray]
_SLACK = 1.0
"""Levels outside of 0..255 that rounding and resizing may leave."""
_INSERT = {"rgb": insert_centered_yuv2rgb, "bgr": insert_centered_yuv2bgr}
_CONVERT = {"rgb": rgb2centered_yuv, "bgr": bgr2centered_yuv}


def deployed(module: fx.GraphModule, work: Work) -> fx.GraphModule:
    """The trained model with the operators of its target behind its stubs. Raises QF292."""
    with Located(work.plan.target.at):
        for colour in work.plan.target.colour:
            module = _INSERT[OPERATORS[colour.operator]](
                module, swing=colour.swing, mean=colour.mean, std=colour.std, input=colour.input
            )
    return module


def camera(inputs: Arrays, work: Work) -> Arrays:
    """What a camera would give for samples as the model was trained on: centred YUV, -128..127.

    Each is brought back to whole colours 0..255 by `mean` and `std`; QF294 where that leads
    elsewhere, for then these two are not those of the training.
    """
    found = dict(inputs)
    for colour in work.plan.target.colour:
        levels = inputs[colour.input] * _view(colour.std) + _view(colour.mean)
        low, high = float(levels.min()), float(levels.max())
        if low < -_SLACK or high > 255 + _SLACK:
            work.console.diagnose([_elsewhere(colour, low, high, work)])
        whole = torch.from_numpy(np.rint(levels).clip(0, 255).astype(np.float32))
        convert = _CONVERT[OPERATORS[colour.operator]]
        found[colour.input] = convert(whole, colour.swing).numpy()
    return found


def _view(values: tuple[float, ...]) -> np.ndarray:
    return np.asarray(values, np.float32).reshape(-1, 1, 1)


def _elsewhere(colour: ColourPlan, low: float, high: float, work: Work) -> Diagnostic:
    return Diagnostic(
        "QF294",
        f"`mean` and `std` of `{colour.input}` are not those of its data",
        at=dict(work.plan.target.fields).get("colour", work.plan.target.at),
        notes=(f"they make colours from {low:.0f} to {high:.0f} of it, not from 0 to 255",),
        help="write the numbers that turned 0..255 into what the loader returns",
        severity="warning",
    )
