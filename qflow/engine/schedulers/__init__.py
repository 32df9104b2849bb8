"""Schedulers: how the learning rate changes while a stage trains; one file each.

Named by `scheduler =` in a stage; the fields of each dataclass are set with `scheduler.FIELD =`.
Each is called before every step with `(at, epochs)`: how many epochs are done, with a fraction, and
how many there are. It returns what `lr` is multiplied with. It has no state, so a resumed training
has nothing to restore. They import no torch: the compiler reads their names and fields.
"""
