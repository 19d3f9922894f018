"""`python -m musedance_core.cli` runs the same commands as `musedance`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
