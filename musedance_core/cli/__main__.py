"""`python -m musedance_core.cli`: the same as `musedance`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
