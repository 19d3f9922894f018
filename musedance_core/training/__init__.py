"""Training: a config, a `Stage` for each part of the recipe, and one `Trainer` for all of them."""
