"""One format of tables per file; the file name is the word behind `format =`.

Each has a class with `knows(text) -> bool` and `read(text, shown) -> Table`; the latter raises
Malformed.
"""
