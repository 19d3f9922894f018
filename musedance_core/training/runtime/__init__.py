"""The training loop and its bookkeeping."""
