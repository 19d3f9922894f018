"""`python -m musedance_core` runs the same commands as `musedance`."""

from .cli import run_process

if __name__ == "__main__":
    run_process()
