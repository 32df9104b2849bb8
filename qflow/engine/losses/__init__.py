"""Losses: what training makes small; one file each, named by `loss =` in a stage.

Each class is made with its fields, is called with the outputs by name and the batch's target, and
returns a scalar tensor. One with `needs_teacher = True` is called with the float model's outputs as
a third argument; one with `needs_target = False` is given None where the data has no targets. They
import no torch at module level: the compiler reads their names and fields.
"""
