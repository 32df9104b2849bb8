"""Methods: what a stage does to a calibrated model instead of training it; one file each.

Named by `method =` in a stage; the fields of each dataclass stand beside it. Each is called with
the prepared model in the states of the stage, the float model, the batches as functions that
compute a model, the addresses whose weights stay, and a function that tells people a line. It
changes the model in place and returns plain data, a record per layer. Of a field `batches` as many
are made. They import no torch at module level: the compiler reads their names and fields.
"""
