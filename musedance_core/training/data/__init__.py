"""Training samples, batches and caches."""
