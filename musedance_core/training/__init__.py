"""Training: one loop, one config, and a `Stage` per part of the recipe."""
