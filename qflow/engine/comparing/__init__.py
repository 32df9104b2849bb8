"""Comparing tensors that lie in files: dumps of qflow, and arrays of others, under policies.

`npz` and `safetensors` read arrays block by block, `stored` opens either or a dump, `policy` is
what must hold of a tensor, `naming` says which tensor is which, `judged` measures one pair, `sides`
compares all of two, `told` shows what was found. Nothing here needs torch.
"""
