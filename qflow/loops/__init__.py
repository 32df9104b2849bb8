"""Loops over tensors, compiled by Numba: one pass over memory where torch takes several.

Optional (`pip install qflow[fast]`) and on the CPU only. Every loop gives the same values as a
torch path beside it, which runs where Numba is missing. A file is one loop: a function of a frame
of arguments (see `frame`), and the function that calls it with tensors. Only `is_there` may be
imported without Numba.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from typing import Any

LOG = logging.getLogger("qflow")


@cache
def _numba() -> bool:
    if find_spec("numba") is None:
        return False
    try:
        import numba  # noqa: F401
    except ImportError as error:  # it refuses versions of NumPy that it does not know
        LOG.warning("passes run in torch, as Numba is of no use here: %s", error)
        return False
    return True


def is_there(device: Any = None) -> bool:
    """Whether loops can be compiled, and for a torch device, run on it."""
    return (device is None or device.type == "cpu") and _numba()
