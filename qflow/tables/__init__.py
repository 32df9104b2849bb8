"""Scales that another tool found: its table read, its names brought to addresses of the model.

`entry`: what a table holds; `formats/`: one file per format; `reading`: from a file to a table;
`names`: which name is meant by an address; `pairing`: every tensor with its entry; `report`: what
came of it, for people and as JSON. Free of torch.
"""
