"""Formulas that several functions of one value are made of, in NumPy float64."""

from __future__ import annotations

import math

import numpy as np


def erf(x: np.ndarray) -> np.ndarray:
    """The error function to the last bits: the C library's, one value at a time."""
    return np.array([math.erf(v) for v in x.ravel().tolist()], np.float64).reshape(x.shape)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), also where exp(x) is beyond float64."""
    return np.logaddexp(0, x)


def relu6(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 6)
