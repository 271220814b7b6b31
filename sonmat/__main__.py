"""`python -m sonmat`: the same command line as `sonmat`."""

import sys

from sonmat.cli import main

if __name__ == "__main__":
    sys.exit(main())
