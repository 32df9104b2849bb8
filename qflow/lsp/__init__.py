"""The language server: what editors ask of a `.qf` file while it is being written.

`server` is the only file that talks to a client. `text` turns places of a client into ours,
`desk` keeps the open files and reads them again after every change, `analysis` is what is known of
one of them. `names` finds every mention of a name in a tree. The rest answer one question each, as
functions of an analysis: `hover`, `completion` (with `place`, `words`), `definition`, `rename`,
`actions`, `report` for diagnostics.

Nothing here imports torch.
"""
