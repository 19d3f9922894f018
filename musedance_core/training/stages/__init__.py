"""Training stages: each one is a model with a loss and a source of samples."""
