"""`python -m musedance_core.cli` runs the same commands as `musedance`."""

from . import run_process

if __name__ == "__main__":
    run_process()
