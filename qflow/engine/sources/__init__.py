"""Sources: samples without Python: arrays in a file, images in a folder, records of a database.

Which file does what: opening (by the name of the source), arrays (samples out of arrays by name)
with npz and tensors; images with pixels (from a file to an input); lmdb with datum; refusing (what
is said of a bad one).
"""
