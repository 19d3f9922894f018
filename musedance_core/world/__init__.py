"""The procedural dance world: synthesised songs, dancers, captions, and clips made of them."""
