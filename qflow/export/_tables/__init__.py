"""What the targets that write scales for another tool have in common: the float model, the rows.

`capture`: the float model as ONNX, one tensor per address; `tidy`: its names and ports; `rows`:
the grids as rows of a table; `dtypes`: how many bits; `places`: which files an export writes.
"""
