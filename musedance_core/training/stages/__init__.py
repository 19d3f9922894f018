"""Training stages: each is a model with a loss."""
