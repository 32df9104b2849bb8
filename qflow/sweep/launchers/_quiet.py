"""What processes that are started print by themselves, outside of any job, goes to a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def children_print_to(path: Path) -> Iterator[None]:
    """Processes started inside have this file as their standard error.

    submitit's own processes print a traceback when they are stopped, and Python's tracker of
    semaphores counts those of a worker that was killed: neither is news to who stopped them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.dup(2)
    try:
        with path.open("a", encoding="utf-8") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
