"""Losses: what training makes small; one file each, named by `loss =` in a stage.

Each class, made without arguments, is called with the outputs by name and the batch's target, and
returns a scalar tensor. They import no torch at module level: the compiler reads their names.
"""
