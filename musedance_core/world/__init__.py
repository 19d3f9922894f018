"""The procedural dance world: songs, dancers, sentences, and the clips made of them."""
