"""The training loop: optimizer, checkpoints, logging and validation."""
