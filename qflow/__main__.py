"""`python -m qflow`: the same as the console script."""

import sys

from qflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
