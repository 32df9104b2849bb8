"""prepare_method: how `prepare` learns what a model does."""

from __future__ import annotations

from enum import Enum


class PrepareMethod(str, Enum):
    """The four methods of the field; each is also the word itself."""

    EAGER = "eager"
    """The model stays as it is written: fused and quantized module by module, by hand."""
    SYMBOLIC = "symbolic"
    """The forward runs on symbols: no python control flow."""
    JIT = "jit"
    """The forward runs on the example inputs. Here it does what JIT_STRIP does."""
    JIT_STRIP = "jit-strip"
    """The forward runs on the example inputs; only what lies between the stubs is quantized."""
