"""Integer files as hostile input: files of every kind of graph, changed at random.

`python -m tests.emulation.fuzz [COUNT] [SEED]` runs so many changed files in a process of their own
and says what it found; pytest runs a few hundred.
"""
