"""Optimizers: how training moves the weights; one file each, named by `optimizer =` in a stage.

The fields of each dataclass are the settings a stage may give it; `make(parameters)` returns the
torch optimizer. They import no torch at module level: the compiler reads their names.
"""
