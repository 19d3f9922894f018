"""`python -m musedance_core` runs the same commands as `musedance`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
