"""What a dance is worth: frame, video, beat and consistency figures, and the report of them."""
