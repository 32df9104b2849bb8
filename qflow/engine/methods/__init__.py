"""Methods: what a stage does to a calibrated model instead of training it; one file each.

Named by `method =` in a stage; the fields of each dataclass stand beside it. Each is called with
the prepared model, in the states of the stage, the float model, a function that computes a model on
a batch, the batches, and the addresses whose weights are frozen; it changes the model in place and
returns plain data for `result.json`. They import no torch at module level: the compiler reads their
names and fields.
"""
